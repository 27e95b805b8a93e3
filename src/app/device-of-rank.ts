import { type ProcessGroup, singleProcess } from '../distributed/process-group.js';
import { chooseDevice } from '../engine/device.js';

/**
 * The device of this process: the one that is named, else a graphics card if there is one; with several ranks, each takes
 * its own card of the node.
 *
 * @param name `auto`, `cpu`, `cuda` or `cuda:N`
 * @throws {InputError} for a card that is not there.
 */
export function deviceOfRank(name: string, group: ProcessGroup = singleProcess): string {
  const chosen = chooseDevice(name === 'auto' ? undefined : name);
  return chosen !== 'cpu' && group.size > 1 ? chooseDevice(`cuda:${group.gpu}`) : chosen;
}
