import { type ProcessGroup, singleProcess } from '../distributed/process-group.js';
import { chooseDevice } from '../engine/device.js';
import { InputError } from '../errors.js';

/**
 * The device of this process: the one that is named, else a graphics card if there is one; with several ranks, each takes
 * its own card of the node.
 *
 * @param name `auto`, `cpu`, `cuda` or `cuda:N`
 * @param source What the name is called in an error.
 * @throws {InputError} for a card that is not there, or one card for several ranks.
 */
export function deviceOfRank(
  name: string,
  {
    group = singleProcess,
    source,
  }: { readonly group?: ProcessGroup | undefined; readonly source?: string } = {},
): string {
  if (group.size > 1 && name.startsWith('cuda:'))
    throw InputError.expected(
      'cuda',
      source ?? '`device`',
      name,
      `Each of the ${group.size} ranks takes one card of its node.`,
    );
  const chosen = chooseDevice(name === 'auto' ? undefined : name, source);
  return chosen === 'cpu' || group.size === 1 ? chosen : chooseDevice(`cuda:${group.gpu}`);
}
