/** FAB comes as near as the reference implementation, step by step. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runToEnd } from '../../src/attacks/attack-generator.js';
import { fab } from '../../src/attacks/fab.js';
import { targetsOfRank } from '../../src/attacks/losses.js';
import { norms } from '../../src/attacks/norms.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { integers } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { assertClose } from '../support/close.js';
import { fromGolden } from '../support/golden.js';
import { l1Golden } from '../support/l1-traces.js';
import { golden, network } from '../support/reference-traces.js';

setThreads(1);

describe('FAB', () => {
  for (const { norm, rank, steps, nearest } of [...golden.fab, ...l1Golden.fab])
    it(`comes as near as the reference, step by step: ${norm}, ${rank === 0 ? 'nearest class' : `rank ${rank}`}`, () =>
      scope(() => {
        const classify = network('float64');
        const x = fromGolden(golden.images, 'float64');
        const labels = integers(golden.labels);
        const seen: number[][] = [];
        const search = fab(
          classify,
          { x, labels, start: x, ...(rank > 0 && { targets: targetsOfRank(classify(x), labels, rank) }) },
          {
            norm: norms[norm],
            epsilon: 0,
            steps,
            trace: (found) => seen.push([...found.numbers()]),
          },
        );
        const last = runToEnd(search).numbers();
        assert.equal(seen.length, steps);
        for (const [step, expected] of nearest.entries())
          assertClose(
            seen[step]!,
            expected.map((each) => each ?? Number.POSITIVE_INFINITY),
            { relative: 1e-8, absolute: 1e-10 },
            `step ${step + 1}`,
          );
        assert.deepEqual([...last], seen.at(-1));
        assert.ok(last.some(Number.isFinite));
      }));
});
