import { InputError } from '../errors.js';
import { type NormName, requireNormName } from './norm-name.js';

/** The radius of the threat model, as a number for pixels in [0, 1] and as given. */
export interface Epsilon {
  readonly epsilon: number;
  /** The original notation, such as `8/255`, for names and reports. */
  readonly epsilonText: string;
}

const decimal = '(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?';
const pattern = new RegExp(`^(-?${decimal})(?:\\s*/\\s*(${decimal}))?$`);

/** A number of at least 0, or a fraction, as text; a pattern of JSON Schemas. */
export const fractionPattern = `^${decimal}(?:\\s*/\\s*${decimal})?$`;

/**
 * Parses a distance in pixels of [0, 1]: `8/255`, `0.1`, 0.1; undefined if it is not a finite number or fraction.
 */
export function parseFraction(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  const match = pattern.exec(value.trim());
  if (match === null) return undefined;
  const parsed = Number(match[1]) / Number(match[2] ?? 1);
  return Number.isFinite(parsed) ? parsed : undefined;
}

/**
 * Parses ε, given as a number or fraction.
 *
 * @throws {InputError} if it is not a number or fraction, is negative, or exceeds 1 in L∞ (pixels are in [0, 1], so 8
 *   means 8/255).
 */
export function parseEpsilon(value: string | number, norm: NormName, name = 'epsilon'): Epsilon {
  requireNormName(norm, 'the norm of parseEpsilon');
  const epsilon = typeof value === 'number' || typeof value === 'string' ? parseFraction(value) : undefined;
  if (epsilon === undefined || epsilon < 0)
    throw InputError.expected('a number or fraction of at least 0, such as 8/255 or 0.1,', name, value);
  if (norm === 'linf' && epsilon > 1)
    throw InputError.expected(
      'at most 1 in L∞ (pixels are in [0, 1])',
      name,
      value,
      typeof value === 'number' || /^[\d.]+$/.test(value.trim())
        ? `Did you mean ${String(value).trim()}/255?`
        : undefined,
    );
  return { epsilon, epsilonText: String(value).trim() };
}
