import type { ModelDescription } from './description.js';
import type { Preprocessing } from './preprocessing.js';

/** What must be stated of weights that another program wrote: everything but the normalisation, which they may hold. */
export type ExternalDescription = Omit<ModelDescription, 'normalise'>;

/** A preprocessing as a normalisation of pixels in [0, 1]: (black + x (white − black) − mean) / std. */
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
