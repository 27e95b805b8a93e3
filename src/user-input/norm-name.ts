import { InputError } from '../errors.js';

/** The norms of a threat model, as options, recipes and results name them. */
export type NormName = 'linf' | 'l2' | 'l1';

export const normNames = ['linf', 'l2', 'l1'] as const satisfies readonly NormName[];

/** The norms as texts write them. */
export const normSymbols: Readonly<Record<NormName, string>> = { linf: 'L∞', l2: 'L2', l1: 'L1' };

/** The norms, as a message asks for one. */
export const anyNorm = 'linf, l2 or l1';

/** @throws {InputError} for what names no norm. */
export function requireNormName(norm: NormName, name: string): void {
  if (!normNames.includes(norm)) throw InputError.expected(anyNorm, name, norm);
}
