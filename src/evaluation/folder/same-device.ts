import { InputError } from '../../errors.js';
import { placeOf } from '../../provenance/manifest.js';
import { isSameKind, type Place, placeName } from '../../provenance/place.js';
import type { EvaluationManifest } from './manifest.js';

/**
 * Refuses to continue an evaluation on another kind of device, which rounds differently: its verdicts would be of two.
 *
 * @throws {InputError}
 */
export function requireSameDevice(
  { manifest, path }: { readonly manifest: EvaluationManifest; readonly path: string },
  place: Place,
): void {
  const before = placeOf(manifest);
  if (isSameKind(before, place)) return;
  throw InputError.expected(
    `${placeName(before)}, on which ${path} was begun,`,
    '`device`',
    placeName(place),
    'Resume it there, or start another in a new folder.',
  );
}
