/**
 * AutoAttack's standard set replayed on a small network, image by image: the attack that breaks each is the one that the
 * reference implementation found (scripts/parity/replay.py). The committed tables of docs/autoattack.md are larger, but they
 * do not notice when a kernel or an attack changes.
 */
import { describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { readGolden } from '../support/golden.js';
import { type Replay, requireReplayed } from '../support/parity-replay.js';

setThreads(1);

/**
 * How many robust images each network has here, which pass through every attack, and whether those are there that Square
 * breaks, with thousands of queries each: test/slow has all.
 */
const replays = [
  { golden: readGolden<Replay>('parity-replay'), robust: 2, square: true },
  { golden: readGolden<Replay>('parity-replay-l1'), robust: 0, square: false },
];

describe('a verdict of the standard set', () => {
  for (const { golden, robust, square } of replays)
    for (const [name, network] of Object.entries(golden.networks)) {
      let left = robust;
      const examples = network.examples.filter(({ verdict }) =>
        verdict === '.' ? left-- > 0 : verdict !== 's' || square,
      );
      if (examples.length === 0) continue;
      it(`is the reference's: ${golden.norm}, ${name}, ${examples.length} images`, async (context) => {
        await requireReplayed(context, golden, { ...network, examples });
      });
    }
});
