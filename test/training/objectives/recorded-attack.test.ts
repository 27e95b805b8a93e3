/** When the attack of a step is recorded, what a replay reads, and when it is recorded anew; with a stand-in for CUDA graphs. */
import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { parseDerivative } from '../../../src/activations/parse.js';
import { norms } from '../../../src/attacks/norms.js';
import type { Batch } from '../../../src/data/dataset-tensors.js';
import { memoryInfo, setThreads } from '../../../src/engine/engine-info.js';
import { native } from '../../../src/engine/native.js';
import { EngineError } from '../../../src/errors.js';
import { noGrad } from '../../../src/tensor/gradient.js';
import { keep, scope } from '../../../src/tensor/scope.js';
import { adversarial } from '../../../src/training/objectives/adversarial.js';
import { RecordedAttack, type Recorder } from '../../../src/training/objectives/recorded-attack.js';
import { perturb, type TrainingAttack } from '../../../src/training/objectives/training-attack.js';
import { firstPlace, pgd, randomBatch, tinyModel } from '../../support/objectives.js';

process.env.SATIN_MOCK_DEVICE = '1';
setThreads(1);

/** Runs the function again where CUDA would launch its kernels again; counts what was recorded, replayed and freed. */
function standIn(): Recorder & { readonly counts: { recorded: number; replayed: number; freed: number } } {
  const counts = { recorded: 0, replayed: 0, freed: 0 };
  return {
    counts,
    supports: () => true,
    record: (_, body) => {
      counts.recorded++;
      scope(() => {
        body();
      });
      const output = keep(scope(body));
      return {
        output,
        replay() {
          counts.replayed++;
          scope(() => noGrad(() => output.copy_(body())));
        },
        [Symbol.dispose]() {
          counts.freed++;
          output.dispose();
        },
      };
    },
  };
}

const at = (step: number, part = 0) => ({ ...firstPlace, step, epoch: 1 + Math.floor(step / 5), part });

/** The images of a step: others in each. */
function batchAt(step: number, count = 6): Batch {
  const { x, labels, ids } = randomBatch('float32', count);
  return { x: x.mul(1 - 0.05 * step), labels, ids: ids.map((id) => 10 * step + id) };
}

/** What an optimizer does: changes the weights in place. */
function learn(model: ReturnType<typeof tinyModel>) {
  noGrad(() => {
    for (const tensor of model.network.state().values()) if (tensor.dtype === 'float32') tensor.mul_(0.97);
  });
}

const variants: Readonly<Record<string, TrainingAttack>> = {
  'from a random start': pgd,
  'from the image': { ...pgd, start: { kind: 'image' } },
  'from a clean start or not': { ...pgd, start: { kind: 'sat', clean: 0.5, clip: false } },
  'on the divergence': { ...pgd, start: { kind: 'normal', deviation: 0.001 }, loss: 'kl' },
  'with batch norm of the batch': { ...pgd, batchNorm: 'train' },
  'in L2': { ...pgd, norm: norms.l2, epsilon: 0.5, stepSize: 0.3 },
  'through another derivative': { ...pgd, derivative: parseDerivative('softplus(10)') },
};

describe('a recorded attack', () => {
  for (const [name, attack] of Object.entries(variants))
    it(`makes the images of the attack as it is: ${name}`, () =>
      scope(() => {
        using model = tinyModel('float32');
        const recorder = standIn();
        using recorded = new RecordedAttack(attack, recorder);
        for (let step = 0; step < 5; step++) {
          const batch = batchAt(step);
          const expected = perturb(model, batch, attack, at(step)).numbers();
          assert.deepEqual(recorded.perturb(model, batch, at(step)).numbers(), expected, `step ${step}`);
          assert.notDeepEqual(expected, batch.x.numbers());
          learn(model);
        }
        assert.deepEqual(recorder.counts, { recorded: 1, replayed: 4, freed: 0 });
      }));

  it('is recorded at the second step, not for parts of the first', () =>
    scope(() => {
      using model = tinyModel('float32');
      const recorder = standIn();
      using recorded = new RecordedAttack(pgd, recorder);
      const seen: number[] = [];
      for (let step = 0; step < 3; step++)
        for (let part = 0; part < 2; part++) {
          recorded.perturb(model, batchAt(step), at(step, part));
          seen.push(recorder.counts.replayed);
        }
      assert.deepEqual(seen, [0, 0, 1, 2, 3, 4]);
      assert.equal(recorder.counts.recorded, 1);
    }));

  it('waits for the end of the warm-ups, whose numbers it would keep', () =>
    scope(() => {
      using model = tinyModel('float32');
      const attack = { ...pgd, epsilonWarmup: 0.6, stepWarmup: 1 }; // 3 and 5 steps
      const recorder = standIn();
      using recorded = new RecordedAttack(attack, recorder);
      const replayed = Array.from({ length: 8 }, (_, step) => {
        const batch = batchAt(step);
        const expected = perturb(model, batch, attack, at(step)).numbers();
        assert.deepEqual(recorded.perturb(model, batch, at(step)).numbers(), expected, `step ${step}`);
        return recorder.counts.replayed;
      });
      // The fifth step, with index 4, is the first of full size.
      assert.deepEqual(replayed, [0, 0, 0, 0, 0, 1, 2, 3]);
      assert.equal(recorder.counts.recorded, 1);
    }));

  it('is recorded anew for another shape or network once that is steady, and the former is freed', () =>
    scope(() => {
      using model = tinyModel('float32');
      using other = tinyModel('float32', 'softplus');
      const recorder = standIn();
      using recorded = new RecordedAttack(pgd, recorder);
      const countsAfter = (chosen: typeof model, sizes: readonly number[]) => {
        for (const [index, count] of sizes.entries()) {
          const step = recorder.counts.recorded * 100 + index;
          const batch = batchAt(index, count);
          const expected = perturb(chosen, batch, pgd, at(step)).numbers();
          assert.deepEqual(recorded.perturb(chosen, batch, at(step)).numbers(), expected);
        }
        return recorder.counts;
      };
      assert.deepEqual({ ...countsAfter(model, [6, 6, 6]) }, { recorded: 1, replayed: 2, freed: 0 });
      // One batch of another size is no reason.
      assert.deepEqual({ ...countsAfter(model, [6, 4, 6]) }, { recorded: 1, replayed: 4, freed: 0 });
      assert.deepEqual({ ...countsAfter(model, [4, 4, 4]) }, { recorded: 2, replayed: 6, freed: 1 });
      assert.deepEqual({ ...countsAfter(other, [4, 4, 4]) }, { recorded: 3, replayed: 8, freed: 2 });
    }));

  it('gives images that the next replay leaves alone', () =>
    scope(() => {
      using model = tinyModel('float32');
      using recorded = new RecordedAttack(pgd, standIn());
      recorded.perturb(model, batchAt(0), at(0));
      const first = recorded.perturb(model, batchAt(1), at(1));
      const before = first.numbers();
      recorded.perturb(model, batchAt(2), at(2));
      assert.deepEqual(first.numbers(), before);
    }));

  it('neither reads nor uploads a number: neither can be recorded', () =>
    scope(() => {
      for (const attack of Object.values(variants)) {
        using model = tinyModel('float32');
        model.network.moveTo('mock');
        const onDevice = (step: number) => {
          const { x, labels, ids } = batchAt(step);
          return { x: x.toDevice('mock'), labels: labels.toDevice('mock'), ids };
        };
        const spies = (['readData', 'fromData', 'noise', 'beginRead'] as const).map((name) =>
          mock.method(native(), name),
        );
        const calls = () => spies.reduce((sum, spy) => sum + spy.mock.callCount(), 0);
        let bodies = 0;
        const watching: Recorder = {
          supports: () => true,
          record: (device, body) =>
            standIn().record(device, () => {
              const before = calls();
              const output = body();
              assert.equal(calls(), before);
              bodies++;
              return output;
            }),
        };
        using recorded = new RecordedAttack(attack, watching);
        for (let step = 0; step < 3; step++) recorded.perturb(model, onDevice(step), at(step));
        assert.equal(bodies, 4);
        assert.ok(calls() > 0);
        for (const spy of spies) spy.mock.restore();
      }
    }));

  it('runs operator by operator where the engine refuses, and asks once', () =>
    scope(() => {
      using model = tinyModel('float32');
      let asked = 0;
      const refusing: Recorder = {
        supports: () => true,
        record: () => {
          asked++;
          throw new EngineError('operation not permitted when stream is capturing');
        },
      };
      using recorded = new RecordedAttack(pgd, refusing);
      for (let step = 0; step < 4; step++) {
        const expected = perturb(model, batchAt(step), pgd, at(step)).numbers();
        assert.deepEqual(recorded.perturb(model, batchAt(step), at(step)).numbers(), expected);
      }
      assert.equal(asked, 1);
      assert.deepEqual(recorded.takeWarnings(), [
        'The attack runs operator by operator, which is slower, since it could not be recorded: operation not permitted when stream is capturing.',
      ]);
      assert.deepEqual(recorded.takeWarnings(), []);
    }));

  it('passes on every other error', () =>
    scope(() => {
      using model = tinyModel('float32');
      const failing: Recorder = { supports: () => true, record: () => assert.fail('in the recorder') };
      using recorded = new RecordedAttack(pgd, failing);
      recorded.perturb(model, batchAt(0), at(0));
      assert.throws(() => recorded.perturb(model, batchAt(1), at(1)), /in the recorder/);
    }));

  it('is not recorded on the CPU', () =>
    scope(() => {
      using model = tinyModel('float32');
      using recorded = new RecordedAttack(pgd);
      for (let step = 0; step < 3; step++) recorded.perturb(model, batchAt(step), at(step));
      assert.equal(recorded.perturb(model, batchAt(3), at(3)).device, 'cpu');
    }));

  it('belongs to its objective, which frees it', () => {
    using model = tinyModel('float32');
    const before = memoryInfo().liveTensors;
    const recorder = standIn();
    {
      const pass = { train: true, keepStatistics: true };
      using objective = adversarial({ attack: pgd, pass, recorder });
      using plain = adversarial({ attack: pgd, pass });
      for (let step = 0; step < 3; step++)
        scope(() => {
          const [replayed, direct] = [objective, plain].map((each) =>
            each.computeGradients(model, batchAt(step), at(step)),
          );
          assert.equal(replayed!.loss.item(), direct!.loss.item());
        });
      assert.equal(memoryInfo().liveTensors, before + 4); // x, labels, start, output
    }
    assert.deepEqual(recorder.counts, { recorded: 1, replayed: 2, freed: 1 });
    assert.equal(memoryInfo().liveTensors, before);
  });
});
