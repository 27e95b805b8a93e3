import assert from 'node:assert/strict';
import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { RunIndex } from '../../../src/serve/log/run-index.js';
import {
  appendEvents,
  end,
  epoch,
  lines,
  start,
  step,
  temporary,
  warning,
  wholeRun,
  writeRun,
} from '../../support/served-folder.js';

const everything = { from: 0, to: Number.MAX_SAFE_INTEGER, width: 100 };
const soon = 60_000;

function made(events = wholeRun) {
  const folder = join(temporary(), 'run');
  writeRun(folder, events);
  return { folder, index: new RunIndex(folder), log: join(folder, 'events.jsonl') };
}

describe('the index of a log', () => {
  it('holds every step, epoch and message', async () => {
    const { index } = made([...wholeRun.slice(0, 6), warning('Overfitting.'), ...wholeRun.slice(6)]);
    assert.equal(await index.catchUp(soon), true);
    const curves = await index.curves(everything);
    assert.deepEqual(
      curves.step,
      Array.from({ length: 30 }, (_, at) => at + 1),
    );
    assert.equal(curves.loss.mean[9], 0.2);
    assert.equal(curves.seconds[9], 10);
    assert.deepEqual(
      index.epochs.map(({ measurements }) => measurements['validation/robust/linf-0.1/pgd-10']),
      [0.2, 0.4, 0.3],
    );
    assert.deepEqual(
      index.messages.map(({ type, text }) => [type, text]),
      [
        ['start', 'Started on cpu in float32.'],
        ['warning', 'Overfitting.'],
        ['end', 'Finished.'],
      ],
    );
    assert.equal(index.brokenLines, 0);
  });

  it('says of a run that its patience ended why it did', async () => {
    const { index } = made([...wholeRun.slice(0, -1), { ...end, bestEpoch: 2 }]);
    await index.catchUp(soon);
    assert.equal(index.messages.at(-1)?.text, 'Stopped early: epoch 3 was no better than epoch 2.');
  });

  it('follows the log, and waits for the rest of a half-written line', async () => {
    const { index, log } = made([start, step(1)]);
    const line = lines([step(2)]);
    appendFileSync(log, line.slice(0, 40));
    await index.catchUp(soon);
    assert.deepEqual((await index.curves(everything)).step, [1]);
    appendFileSync(log, line.slice(40));
    await index.catchUp(soon);
    assert.deepEqual((await index.curves(everything)).step, [1, 2]);
    assert.equal(index.brokenLines, 0);
  });

  it('passes over broken lines, and counts them', async () => {
    const { folder, index, log } = made([start, step(1)]);
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const broken = [
      '{"type":"step"',
      'null',
      '{"type":"nothing"}',
      deep,
      '{"type":"step","time":"x","epoch":1,"step":-1}',
    ];
    appendFileSync(log, `${broken.join('\n')}\n`);
    appendEvents(folder, [step(2), step(2), epoch(1, 0.5)]);
    await index.catchUp(soon);
    assert.deepEqual((await index.curves(everything)).step, [1, 2]);
    assert.equal(index.brokenLines, broken.length + 1, 'a step that comes twice counts too');
    assert.equal(index.epochs.length, 1);
  });

  it('passes over a line without an end in constant memory', async () => {
    const { folder, index, log } = made([start]);
    appendFileSync(log, 'x'.repeat(3 * 2 ** 20));
    appendFileSync(log, '\n');
    appendEvents(folder, [step(1)]);
    await index.catchUp(soon);
    assert.deepEqual((await index.curves(everything)).step, [1]);
    assert.equal(index.brokenLines, 1);
  });

  it('begins again when a resumed run rewinds its log', async () => {
    const { index, log } = made();
    await index.catchUp(soon);
    writeFileSync(`${log}.tmp`, lines([...wholeRun.slice(0, 5), step(5, { loss: 9 })]));
    renameSync(`${log}.tmp`, log);
    await index.catchUp(soon);
    const { step: steps, loss } = await index.curves(everything);
    assert.deepEqual(steps, [1, 2, 3, 4, 5]);
    assert.equal(loss.mean[4], 9);
    assert.deepEqual(index.epochs, []);
    assert.equal(index.messages.length, 1);
  });

  it('keeps what it had when the folder vanishes', async () => {
    const { folder, index } = made();
    await index.catchUp(soon);
    rmSync(folder, { recursive: true });
    assert.equal(await index.catchUp(soon), true);
    assert.equal((await index.curves(everything)).step.length, 30);
    assert.equal((await index.curves({ from: 3, to: 5, width: 2 })).step.length, 2);
  });

  it('shows a long log in buckets that lose no spike, and the steps of a part', async () => {
    const count = 20_000;
    const events = Array.from({ length: count }, (_, at) => step(at + 1, { loss: at === 12_345 ? 99 : 1 }));
    const { index } = made([start, ...events]);
    await index.catchUp(soon);
    const { step: steps, loss, stepsPerBucket } = await index.curves({ ...everything, width: 200 });
    assert.ok(steps.length <= 200 && steps.length > 80, `${steps.length} buckets`);
    assert.equal(steps.at(-1), count);
    assert.ok(stepsPerBucket >= 100);
    assert.equal(Math.max(...loss.high.map((value) => value ?? 0)), 99);
    assert.equal(Math.min(...loss.low.map((value) => value ?? 0)), 1);
    const bucket = steps.findIndex((each) => each >= 12_346);
    assert.equal(loss.high[bucket], 99, 'in its place');
    const part = await index.curves({ from: 12_300, to: 12_400, width: 200 });
    assert.deepEqual(
      part.step,
      Array.from({ length: 101 }, (_, at) => 12_300 + at),
    );
    assert.equal(part.loss.mean[46], 99);
  });

  it('shows samples of the whole log while it is read', async () => {
    const { index } = made([start, ...Array.from({ length: 20_000 }, (_, at) => step(at + 1))]);
    assert.equal(await index.catchUp(0), false);
    assert.ok(index.share < 1);
    const { step: steps } = await index.curves({ ...everything, width: 100 });
    assert.ok(steps.length > 50 && steps.at(-1)! > 19_000, `${steps.length} up to ${steps.at(-1)}`);
    while (!(await index.catchUp(1)));
    assert.equal(index.share, 1);
  });
});
