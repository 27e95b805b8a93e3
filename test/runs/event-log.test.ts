import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { InputError } from '../../src/errors.js';
import { openEventLog, readEvents } from '../../src/runs/event-log.js';
import type { RunEvent } from '../../src/runs/events.js';
import { create, folder, refused, step, time } from '../support/run-folders.js';

describe('the event log', () => {
  it('keeps events in order, finite or not', () => {
    using run = create('events');
    const events: RunEvent[] = [
      { type: 'start', time, epochs: 3, stepsPerEpoch: 10, parameters: 5 },
      step(1),
      step(2, Number.NaN),
      { type: 'epoch', time, epoch: 1, step: 2, seconds: 1, measurements: { 'validation/clean': 0.5 } },
      { type: 'warning', time, step: 2, message: 'ε' },
    ];
    for (const event of events) run.appendEvent(event);
    assert.deepEqual(readEvents(run.path), events);
  });

  it('can be read while a line is being written, and names a line that is no event', () => {
    using run = create('half');
    run.appendEvent(step(1));
    appendFileSync(join(run.path, 'events.jsonl'), '{"type":"st');
    assert.deepEqual(readEvents(run.path), [step(1)]);
    appendFileSync(join(run.path, 'events.jsonl'), 'op"}\n');
    assert.throws(() => readEvents(run.path), refused(/line 2 of/));
    assert.throws(() => readEvents(join(folder, 'nothing')), refused(/Expected a run folder/));
  });

  it('takes back a line that did not fit on the disk', () => {
    using run = create('full');
    const log = openEventLog(run.path, (file, bytes) => {
      if (bytes.length < 50) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      appendFileSync(file, bytes.subarray(0, 20));
      return bytes.length - 20;
    });
    assert.throws(
      () => log.append(step(1)),
      (error) => error instanceof InputError && error.code === 'disk-full',
    );
    log.close();
    assert.equal(readFileSync(join(run.path, 'events.jsonl'), 'utf8'), '');
  });
});
