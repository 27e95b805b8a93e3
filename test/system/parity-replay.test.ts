/**
 * AutoAttack's standard set replayed on a small network, image by image: the attack that breaks each is the one that the
 * reference implementation found (scripts/parity/replay.py). The committed tables of docs/autoattack.md are larger, but they
 * do not notice when a kernel or an attack changes.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { largestDifference } from '../support/close.js';
import { readGolden } from '../support/golden.js';
import { type Replay, replayed } from '../support/parity-replay.js';

setThreads(1);

/** In L1 without the images that come to Square, with thousands of queries each: test/slow has them. */
const replays = [
  { golden: readGolden<Replay>('parity-replay'), comesToSquare: '.s' },
  { golden: readGolden<Replay>('parity-replay-l1'), comesToSquare: '' },
];

describe('a verdict of the standard set', () => {
  for (const { golden, comesToSquare } of replays)
    for (const [name, network] of Object.entries(golden.networks)) {
      const examples = network.examples.filter(
        ({ verdict }) => !'.s'.includes(verdict) || comesToSquare.includes(verdict),
      );
      if (examples.length === 0) continue;
      it(`is the reference's: ${golden.norm}, ${name}, ${examples.length} images`, async (context) => {
        const { logits, verdicts } = await replayed(golden, network, examples);
        const off = largestDifference(
          logits,
          examples.flatMap((each) => each.logits),
        );
        assert.ok(off < 1e-4, `logits are off by ${off}`);
        context.diagnostic(verdicts);
        assert.equal(verdicts, examples.map(({ verdict }) => verdict).join(''));
        assert.ok(new Set(verdicts).size >= 2, 'several verdicts occur');
      });
    }
});
