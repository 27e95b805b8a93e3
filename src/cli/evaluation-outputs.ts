import { existsSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { InputError } from '../errors.js';
import type { EvaluationOutputs } from '../evaluation/folder/manifest.js';

/** Where the result of an evaluation goes, beside the terminal and its folder. */
export interface StatedOutputs {
  readonly json?: string | undefined;
  readonly report?: string | undefined;
  readonly curveExamples?: number | undefined;
  readonly junit?: string | undefined;
  /** Robust accuracy from 0 to 1. */
  readonly requireRobust?: number | undefined;
}

/**
 * What the options state, and on a resumption what the evaluation was begun with. The folder may be somebody else's: of what
 * it names only new files below the working directory are written, and for others `note` says that they have to be named.
 *
 * @throws {InputError} for a JUnit file without a robust accuracy that is required.
 */
export function evaluationOutputs(
  stated: StatedOutputs,
  { stored, note }: { readonly stored: EvaluationOutputs | null; readonly note: (sentence: string) => void },
): StatedOutputs {
  const before = (flag: 'json' | 'report' | 'junit'): string | undefined => {
    const path = stored?.[flag] ?? undefined;
    if (stated[flag] !== undefined || path === undefined) return stated[flag];
    if (flag === 'json' && path === '-') return path;
    const isBelow = !isAbsolute(path) && normalize(path).split('/')[0] !== '..';
    if (isBelow && !existsSync(path)) return path;
    note(
      `The evaluation was begun with --${flag} ${path}, which ${isBelow ? 'exists' : 'lies elsewhere'}: name a file by --${flag} to have it written.`,
    );
    return undefined;
  };
  const requireRobust = stated.requireRobust ?? stored?.requireRobust ?? undefined;
  if (stated.junit !== undefined && requireRobust === undefined)
    throw InputError.expected(
      'a share, such as 0.5,',
      '--require-robust',
      undefined,
      'Without it --junit has nothing to test.',
    );
  return {
    json: before('json'),
    report: before('report'),
    curveExamples: stated.curveExamples ?? stored?.curveExamples ?? undefined,
    junit: requireRobust === undefined ? undefined : before('junit'),
    requireRobust,
  };
}
