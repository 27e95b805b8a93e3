/**
 * AutoAttack's standard set of L∞ on all images of test/system/parity-replay.test.ts: the reference's verdicts. That of L1 on
 * 40 images: where the reference's three seeds agree whether an image breaks, so does Satin, on at least 99 of 100; and the
 * robust accuracy lies between theirs, or an image beside them.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import { readGolden } from '../../support/golden.js';
import { type Replay, type ReplayedNetwork, replayed, requireReplayed } from '../../support/parity-replay.js';

setThreads(1);

interface WholeReplay extends Replay {
  readonly labels: readonly number[];
  /** `verdicts`: of each seed, a letter for each of the first images. */
  readonly networks: Readonly<Record<string, ReplayedNetwork & { readonly verdicts: readonly string[] }>>;
}

const golden = readGolden<WholeReplay>('parity-replay-l1');
const isRobust = (verdict: string | undefined) => verdict === '.';

describe('the standard set of L1', () => {
  for (const [name, network] of Object.entries(golden.networks))
    it(`breaks what the reference breaks: ${name}`, async (context) => {
      const seeds = network.verdicts;
      const places = [...seeds[0]!].map((_, id) => id);
      const examples = places.map((id) => ({ id, label: golden.labels[id]! }));
      const { verdicts } = await replayed(golden, network, examples);
      for (const each of [...seeds, verdicts]) context.diagnostic(each);
      const agreed = places.filter((at) => new Set(seeds.map((each) => isRobust(each[at]))).size === 1);
      const alike = agreed.filter((at) => isRobust(verdicts[at]) === isRobust(seeds[0]![at]));
      context.diagnostic(`${alike.length} of ${agreed.length} alike, where the seeds agree`);
      assert.ok(agreed.length >= 0.85 * places.length);
      assert.ok(alike.length >= 0.99 * agreed.length);
      const robust = (each: string) => [...each].filter(isRobust).length;
      const known = seeds.map(robust);
      assert.ok(robust(verdicts) >= Math.min(...known) - 1 && robust(verdicts) <= Math.max(...known) + 1);
    });
});

describe('the standard set of L∞', () => {
  const whole = readGolden<Replay>('parity-replay');
  for (const [name, network] of Object.entries(whole.networks))
    it(`gives all images the reference's verdicts: ${name}`, (context) =>
      requireReplayed(context, whole, network));
});
