import type { ModelFile } from '../app/model/read-model-file.js';

/** Says, before a TorchScript file is loaded, that it is a program; nothing for other models, which are numbers alone. */
export function sayProgram({ kind, path }: ModelFile, say: (sentence: string) => void): void {
  if (kind !== 'torchscript') return;
  say(`${path} is a program: before any of it runs, it is refused if it could do more than compute.`);
}
