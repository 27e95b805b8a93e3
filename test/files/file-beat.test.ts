import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBeat } from '../../src/files/file-beat.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-beat-'));
after(() => rmSync(folder, { recursive: true }));
const modified = (path: string) => statSync(path).mtimeMs;
/** Blocks this thread, as a long training step does. */
const block = (milliseconds: number) =>
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

describe('the sign of life in a file', () => {
  it('is given while the main thread computes, until it is stopped', async () => {
    const path = join(folder, 'lock');
    writeFileSync(path, '');
    const beat = startBeat(path, 0.05);
    await sleep(500); // until the thread has started
    const before = modified(path);
    block(500);
    const during = modified(path);
    assert.ok(during > before);
    beat.stop();
    await sleep(300);
    const stopped = modified(path);
    await sleep(300);
    assert.equal(modified(path), stopped);
  });

  it('is not given in the place of another process', async () => {
    const path = join(folder, 'taken');
    writeFileSync(path, '');
    const beat = startBeat(path, 0.05);
    await sleep(500);
    writeFileSync(`${path}.other`, '');
    renameSync(`${path}.other`, path);
    await sleep(100);
    const before = modified(path);
    await sleep(300);
    assert.equal(modified(path), before);
    beat.stop();
  });
});
