import type { Attack, Threat } from '../../attacks/attack.js';
import type { DatasetTensors } from '../../data/dataset-tensors.js';
import { InputError } from '../../errors.js';
import { scope } from '../../tensor/scope.js';
import { nameList } from '../../user-input/name-list.js';
import type { ModelUnderTest } from '../model-under-test.js';
import { type InputGradients, inputGradients, type MissingGradient } from './input-gradients.js';
import { probeBatch } from './probe.js';

/**
 * Why a model cannot be differentiated with respect to the images, tested on a few of `data`; null if it can. Costs one
 * forward and three backward passes of at most 32 images.
 */
export function missingGradient(
  subject: ModelUnderTest,
  data: DatasetTensors,
  { threat, seed }: { readonly threat: Threat; readonly seed: number },
): MissingGradient | null {
  return scope(() => {
    const classes = data.dataset.classes.length;
    const found = inputGradients({ ...probeBatch(data), subject, classes, threat, seed });
    return 'missing' in found ? found : null;
  });
}

/** @throws {InputError} `no-gradient` if one of `attacks` follows the gradient of a model that has none anywhere. */
export function requireGradient(
  found: InputGradients | MissingGradient | null,
  attacks: readonly Attack[],
): void {
  const blind = attacks.filter(({ kind }) => kind !== 'square').map(({ name }) => name);
  if (found === null || !('missing' in found) || blind.length === 0) return;
  const { missing } = found;
  throw new InputError(
    'no-gradient',
    `Expected a model with an input gradient, which ${nameList(blind)} ${blind.length === 1 ? 'follows' : 'follow'}, but ${missing}. ${remedyFor(missing)} Or measure it with square alone, which needs no gradient.`,
  );
}

function remedyFor(missing: string): string {
  return /transformer_encoder|native_multi_head/.test(missing)
    ? 'The network was traced on the fast path of attention: in Python, call torch.backends.mha.set_fastpath_enabled(False) before torch.jit.trace.'
    : 'Save the network without the operator that has none (detach, argmax, rounding, no_grad inside the network).';
}
