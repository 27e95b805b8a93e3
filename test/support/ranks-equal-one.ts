import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { availableBackends } from '../../src/distributed/collectives.js';
import { largestDifference } from './close.js';
import { type Job, type Outcome, outcomeOf } from './rank-jobs.js';
import { jobsOf } from './ranks.js';

/** Why nothing can be tried, or false. */
export const skip = availableBackends().includes('gloo') ? false : 'this engine was built without Gloo';

const exact = { dtype: 'float64', batch: 16, batchNorm: 'synchronised' } as const;
const few = {
  every: { ...exact, objective: 'with every option', steps: 3 },
  free: { ...exact, objective: 'free', steps: 4 },
  single: { ...exact, dtype: 'float32', objective: 'clean', steps: 1 },
  ghost: { ...exact, dtype: 'float32', objective: 'clean', steps: 3, batchNorm: 'ghost' },
  groups: { ...exact, objective: 'sat in groups', steps: 4, batchNorm: { ghost: 4 } },
  parts: { ...exact, objective: 'clean', steps: 2, accumulate: 2, batchNorm: 'ghost' },
  weighted: { ...exact, objective: 'sat', steps: 4, classWeights: [8, 1, 0.5, 2] },
} as const satisfies Readonly<Record<string, Job>>;

const alone = new Map<string, Promise<Outcome>>();
/** What one process comes to, computed once. */
function whole(job: Job): Promise<Outcome> {
  const name = JSON.stringify(job);
  const outcome = alone.get(name) ?? outcomeOf(job);
  alone.set(name, outcome);
  return outcome;
}

/** `size` processes that train together come to what one process comes to with the whole batch; the longest runs take `steps`. */
export function ranksEqualOne({ size, steps }: { readonly size: number; readonly steps: number }): void {
  describe(`${size} ranks`, { skip }, () => {
    const jobs = {
      clean: { ...exact, objective: 'clean', steps },
      sat: { ...exact, objective: 'sat', steps },
      ...few,
    } as const satisfies Readonly<Record<string, Job>>;
    const names = Object.keys(jobs) as (keyof typeof jobs)[];
    const together = new Map<string, Outcome>();
    before(async () => {
      const all = names.map((name) => jobs[name]);
      const outcomes = await jobsOf(size, all);
      for (const [at, name] of names.entries()) together.set(name, outcomes[at]!);
    });

    const far = async (name: keyof typeof jobs) => {
      const one = await whole(jobs[name]);
      const found = together.get(name)!;
      assert.equal(found.losses.length, jobs[name].steps);
      return {
        weights: largestDifference(found.weights, one.weights),
        losses: largestDifference(found.losses, one.losses),
      };
    };

    for (const name of ['clean', 'sat'] as const)
      it(`come to the weights of one process within 1e-8 after ${steps} steps: ${name}, float64`, async () => {
        const { weights, losses } = await far(name);
        assert.ok(weights <= 1e-8, `weights off by ${weights}`);
        assert.ok(losses <= 1e-8, `losses off by ${losses}`);
      });

    it('do so with weight perturbation, a network differentiated twice, and Free too', async () => {
      for (const name of ['free', 'every'] as const) {
        const { weights } = await far(name);
        assert.ok(weights <= 1e-8, `${name} off by ${weights}`);
      }
    });

    it('do so in ghost batch norm of groups, with a clean start for each', async () => {
      const { weights } = await far('groups');
      assert.ok(weights <= 1e-8, `weights off by ${weights}`);
    });

    it('do so with class weights, which are those of the whole batch', async () => {
      const { weights, losses } = await far('weighted');
      assert.ok(weights <= 1e-8, `weights off by ${weights}`);
      assert.ok(losses <= 1e-8, `losses off by ${losses}`);
    });

    it('come to the weights of one process within 1e-5 after a step in float32', async () => {
      const { weights } = await far('single');
      assert.ok(weights <= 1e-5, `weights off by ${weights}`);
    });

    it('take other statistics in ghost batch norm', async () => {
      const { weights } = await far('ghost');
      assert.ok(weights > 1e-5, `weights off by ${weights}`);
      assert.ok(together.get('parts')!.weights.every(Number.isFinite));
    });
  });
}
