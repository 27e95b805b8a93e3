import { statSync } from 'node:fs';
import type { ModelFile } from '../app/model/read-model-file.js';

/** What is read within about two seconds is not announced. */
const longRead = 300e6;

/**
 * Says, before a model file is loaded, what its user should know: that a TorchScript file is a program, and that a large
 * file takes its time. Nothing of other files.
 */
export function sayModelFile(file: ModelFile, say: (sentence: string) => void): void {
  const { kind, path } = file;
  if (kind === 'torchscript')
    say(`${path} is a program: before any of it runs, it is refused if it could do more than compute.`);
  const bytes = filesOf(file).reduce(
    (sum, each) => sum + (statSync(each, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  if (bytes > longRead) say(`Loading ${path} (${(bytes / 1e9).toFixed(1)} GB).`);
}

/** Those that are still to be read: the weights of a Satin model are in memory. One that vanished is told by whoever reads it. */
function filesOf(file: ModelFile): readonly string[] {
  if (file.kind === 'satin') return [];
  return file.kind === 'weights' ? file.weights.files : [file.path];
}
