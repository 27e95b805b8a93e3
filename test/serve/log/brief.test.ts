import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { BriefLog, type LogBrief } from '../../../src/serve/log/brief.js';
import {
  epoch,
  lines,
  start,
  step,
  temporary,
  warning,
  wholeRun,
  writeRun,
} from '../../support/served-folder.js';

describe('the brief of a log', () => {
  it('names the best epoch, the last step and the end', async () => {
    const folder = temporary();
    writeRun(folder, wholeRun);
    const brief = await new BriefLog(folder).refresh();
    assert.equal(brief?.best?.epoch, 2);
    assert.equal(brief?.lastStep?.step, 30);
    assert.equal(brief?.state?.type, 'end');
    assert.equal(brief?.start?.epochs, 3);
    assert.equal(brief?.isWhole, true);
  });

  it('reads the ends of a long log at once, and finds its best epoch piece by piece', async () => {
    const folder = temporary();
    const many = (from: number, count: number) => Array.from({ length: count }, (_, at) => step(from + at));
    writeRun(folder, [
      start,
      ...many(1, 3000),
      epoch(1, 0.9),
      warning('Early.'),
      ...many(3001, 3000),
      epoch(2, 0.5),
      ...many(6001, 1000),
    ]);
    const log = new BriefLog(folder);
    const first = await log.refresh();
    assert.equal(first?.lastStep?.step, 7000);
    assert.equal(first?.start?.epochs, 3);
    assert.equal(first?.isWhole, false);
    let brief: LogBrief | undefined = first;
    let reads = 1;
    for (; brief?.isWhole === false && reads < 20; reads++) brief = await log.refresh();
    assert.equal(brief?.isWhole, true);
    assert.equal(brief?.best?.epoch, 1);
    assert.equal(brief?.warnings, 1);
    assert.ok(reads > 2, `${reads} reads`);
  });

  it('takes a half-written epoch when it is whole, once', async () => {
    const folder = temporary();
    writeRun(folder, [start, step(1), warning('One.')]);
    const log = new BriefLog(folder);
    const line = lines([epoch(1, 0.5)]);
    appendFileSync(join(folder, 'events.jsonl'), line.slice(0, 30));
    assert.equal((await log.refresh())?.best, undefined);
    appendFileSync(join(folder, 'events.jsonl'), line.slice(30));
    const brief = await log.refresh();
    assert.equal(brief?.best?.epoch, 1);
    assert.equal(brief?.warnings, 1);
  });

  it('begins again with a shorter log, and ends with a vanished one', async () => {
    const folder = temporary();
    writeRun(folder, wholeRun);
    const log = new BriefLog(folder);
    await log.refresh();
    writeFileSync(join(folder, 'events.jsonl'), lines([start, step(1)]));
    const brief = await log.refresh();
    assert.equal(brief?.best, undefined);
    assert.equal(brief?.state?.type, 'step');
    rmSync(folder, { recursive: true });
    assert.equal(await log.refresh(), undefined);
  });
});
