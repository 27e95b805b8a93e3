import type { ModelDescription } from './description.js';
import type { Preprocessing } from './preprocessing.js';

/** The description required for external weights: without normalisation, which the weights file may contain. */
export type ExternalDescription = Omit<ModelDescription, 'normalise'>;

/** Converts a preprocessing, (black + x (white − black) − mean) / std, to a normalisation of pixels in [0, 1]. */
export function asNormalisation(
  { range: [black, white], normalise }: Preprocessing,
  channels: number,
): NonNullable<ModelDescription['normalise']> | null {
  if (black === 0 && white === 1 && normalise === null) return null;
  const each = (values: readonly number[]) =>
    values.length === 1 ? Array.from({ length: channels }, () => values[0]!) : [...values];
  const { mean, std } = normalise ?? { mean: [0], std: [1] };
  const extent = white - black;
  return {
    mean: each(mean.map((value) => (value - black) / extent)),
    std: each(std.map((value) => value / extent)),
  };
}
