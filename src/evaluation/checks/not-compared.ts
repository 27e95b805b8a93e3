import type { Flag } from './flag.js';

/** The model is weights of another program in a network of Satin's, and nobody compared the two. */
export function notCompared(model: { readonly isImported: boolean; readonly isCompared: boolean }): Flag[] {
  if (!model.isImported || model.isCompared) return [];
  const message =
    'The weights fit this network by their names and shapes, but nobody compared its logits with those of the program that trained them: another padding, activation, ε of batch norm or shortcut fits as well. Save a batch of images and logits there, and have the model compared with it.';
  return [{ code: 'not-compared', message }];
}
