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
 * How many robust images each network has here, which pass through every attack, and how many that Square breaks, with
 * thousands of queries each: test/slow has all.
 */
const replays = [
  { golden: readGolden<Replay>('parity-replay'), robust: 1, square: 3 },
  { golden: readGolden<Replay>('parity-replay-l1'), robust: 0, square: 0 },
];

describe('a verdict of the standard set', () => {
  for (const { golden, robust, square } of replays)
    for (const [name, network] of Object.entries(golden.networks)) {
      const left = new Map([
        ['.', robust],
        ['s', square],
      ]);
      const examples = network.examples.filter(({ verdict }) => {
        const more = left.get(verdict) ?? Number.POSITIVE_INFINITY;
        left.set(verdict, more - 1);
        return more > 0;
      });
      if (examples.length === 0) continue;
      it(`is the reference's: ${golden.norm}, ${name}, ${examples.length} images`, async (context) => {
        await requireReplayed(context, golden, { ...network, examples });
      });
    }
});
