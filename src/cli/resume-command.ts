import { InterruptedError } from '../errors.js';
import { isEvaluationFolder } from '../evaluation/folder/manifest.js';
import { commandLine } from '../provenance/command-line.js';

/** Adds to an interruption the command that resumes the evaluation in `folder`, if one was stored there. */
export function withResumeCommand(error: unknown, model: string, folder: string | null): unknown {
  if (folder === null || !(error instanceof InterruptedError) || !isEvaluationFolder(folder)) return error;
  const command = commandLine(['evaluate', model, '--resume', folder]);
  return new InterruptedError(`${error.message} Continue with: ${command}`, { cause: error });
}
