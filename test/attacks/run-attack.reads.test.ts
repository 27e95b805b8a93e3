/** A read makes a card wait for JavaScript: between two checks an attack that is watched reads nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Attack, parseAttack } from '../../src/attacks/attack.js';
import { type NormName, norms } from '../../src/attacks/norms.js';
import type { Observer } from '../../src/attacks/observer.js';
import { runAttack } from '../../src/attacks/run-attack.js';
import { engineInfo, setThreads } from '../../src/engine/engine-info.js';
import { native } from '../../src/engine/native.js';
import { InputError } from '../../src/errors.js';
import { Watch } from '../../src/evaluation/watch.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { ones, zeros } from '../../src/tensor/create.js';
import { linear } from '../../src/tensor/functional.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';

process.env.SATIN_MOCK_DEVICE = '1';
setThreads(1);

const short = (name: string, steps: number): Attack => ({ ...parseAttack(name), steps });
const attacks: readonly Attack[] = [
  short('fgsm', 1),
  short('pgd-6', 6),
  short('pgd-cw-6', 6),
  short('apgd-ce', 8),
  short('apgd-dlr-eot2', 8),
  short('apgd-t', 8),
  short('fab', 5),
  short('fab-t', 5),
  short('square', 70),
];
const large = [short('apgd-ce-large', 8), short('apgd-t-large', 8)];
const cycles = [short('pgd-6-step0.5-cycles', 6), short('pgd-6-paper-cycles', 6)];
const byNorm = { linf: [...attacks, ...cycles], l2: attacks, l1: [...attacks, ...large] } as const;
const ids = [0, 1, 2, 3, 4, 5];

/** How often each step of an attack on a small network reads, while `observe` watches it. */
function readsOf(
  attack: Attack,
  { norm, device, observe }: { norm: NormName; device: string; observe: Observer },
): number[] {
  const draw = (epoch: number, shape: readonly number[]) =>
    noise('normal', { key: { seed: 1, stream: 'bench', epoch }, ids: [0], shape, device }).reshape(shape);
  const reads: number[] = [];
  scope(() => {
    const [first, second] = [draw(1, [20, 128]), draw(2, [5, 20])];
    const classify: Classifier = (x) => linear(linear(x.flatten(1), first).tanh(), second);
    const isTargeted = 'targets' in attack && attack.targets > 0;
    const examples = {
      x: noise('uniform', { key: { seed: 1, stream: 'bench' }, ids, shape: [2, 8, 8], device }),
      labels: zeros([ids.length], 'int64', device),
      targets: isTargeted ? ones([ids.length], 'int64', device) : null,
      ids,
    };
    const threat = { norm: norms[norm], epsilon: 0.1 };
    const round = { restart: 1, rank: isTargeted ? 1 : 0 };
    const count = () => native().readCount() + native().mockReadCount();
    let before = count();
    for (const _ of runAttack(attack, classify, examples, { threat, seed: 0, round, observe })) {
      reads.push(count() - before);
      before = count();
    }
    reads.push(count() - before);
  });
  return reads;
}

describe('a step of an attack', () => {
  for (const device of ['cpu', 'mock'])
    for (const norm of ['linf', 'l2', 'l1'] as const)
      for (const attack of byNorm[norm]) {
        it(`reads nothing: ${attack.name}, ${norm}, ${device}`, () => {
          using watch = new Watch({
            every: Number.POSITIVE_INFINITY,
            confirm: () => assert.fail('a check'),
          });
          const reads = readsOf(attack, { norm, device, observe: watch.observe });
          assert.ok(reads.length > attack.steps, `${reads.length} steps`);
          assert.deepEqual(
            reads,
            reads.map(() => 0),
          );
        });
      }

  const { libtorch } = engineInfo();
  const skip = libtorch.startsWith('1.') && `libtorch ${libtorch} lacks the gradient on the device meta`;
  describe('on the device meta, where there is nothing to read', { skip }, () => {
    it('a read is refused', () =>
      scope(() => assert.throws(() => zeros([1], 'float32', 'meta').item(), InputError)));

    // Other attacks need abs and where, whose meta implementation is in Python, not in libtorch.
    for (const attack of [short('fgsm', 1), short('pgd-6', 6)])
      it(`runs: ${attack.name}`, () => {
        const reads = readsOf(attack, { norm: 'linf', device: 'meta', observe: () => null });
        assert.equal(reads.length, attack.steps + 1);
      });
  });
});
