import { InterruptedError } from '../errors.js';
import { isEvaluationFolder } from '../evaluation/folder/manifest.js';
import { commandLine } from '../provenance/command-line.js';
import { isRunFolder } from '../runs/run-folder.js';

/** Adds to an interruption the command that resumes the evaluation in `folder`, if one was stored there. */
export function withResumeCommand(error: unknown, model: string, folder: string | null): unknown {
  if (folder === null || !(error instanceof InterruptedError) || !isEvaluationFolder(folder)) return error;
  const command = commandLine(['evaluate', model, '--resume', folder]);
  return new InterruptedError(`${error.message} Continue with: ${command}`, { cause: error });
}

/** Adds to an interruption of a training run the command that resumes it. */
export function withResumeOfRun(error: unknown, run: string): unknown {
  if (!(error instanceof InterruptedError) || !isRunFolder(run)) return error;
  const sentence = error.message.replace(/ Continue with `resume`\.$/, '');
  const command = commandLine(['train', run, '--resume']);
  return new InterruptedError(`${sentence} Continue with: ${command}`, { cause: error });
}

/** Says of an interruption that the same command resumes what is in `folder`; other errors are left as they are. */
export function withSameCommand(error: unknown, folder: string): unknown {
  if (!(error instanceof InterruptedError)) return error;
  const sentence = `Interrupted; the progress is saved in ${folder}. Run the same command to continue.`;
  return new InterruptedError(sentence, { cause: error });
}
