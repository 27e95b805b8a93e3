import { existsSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import type { EvaluationOutputs } from '../evaluation/folder/manifest.js';

/** Where the result of an evaluation goes, beside the terminal and its folder. */
export interface StatedOutputs {
  readonly json?: string | undefined;
  readonly report?: string | undefined;
  readonly curveExamples?: number | undefined;
}

/**
 * What the options state, and on a resumption what the evaluation was begun with. The folder may be somebody else's: of what
 * it names only new files below the working directory are written, and for others `note` says that they have to be named.
 */
export function evaluationOutputs(
  stated: StatedOutputs,
  { stored, note }: { readonly stored: EvaluationOutputs | null; readonly note: (sentence: string) => void },
): StatedOutputs {
  const before = (flag: 'json' | 'report'): string | undefined => {
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
  return {
    json: before('json'),
    report: before('report'),
    curveExamples: stated.curveExamples ?? stored?.curveExamples ?? undefined,
  };
}
