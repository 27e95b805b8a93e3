import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { InputError } from '../../src/errors.js';
import { makeManifest } from '../../src/provenance/manifest.js';
import { writeCheckpoint } from '../../src/runs/checkpoint.js';
import { openEventLog, readEvents } from '../../src/runs/event-log.js';
import type { RunEvent } from '../../src/runs/events.js';
import {
  createRunFolder,
  defaultRunPath,
  readManifest,
  readStoredRecipe,
  resumeRunFolder,
} from '../../src/runs/run-folder.js';
import { firstDifference } from '../../src/user-input/first-difference.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-runs-'));
after(() => rmSync(folder, { recursive: true }));

const recipe = { name: 'a', training: { epochs: 3, schedule: { learningRate: 0.1 } } };
const manifest = makeManifest({
  engine: { libtorch: '1.13.1', cuda: false },
  device: 'cpu',
  threads: 2,
  seeds: { run: 0, validation: 0 },
  chosen: {},
});
const time = '2026-01-01T00:00:00.000Z';

function step(number: number, loss = 1): RunEvent {
  return {
    type: 'step',
    time,
    epoch: 1,
    step: number,
    loss,
    accuracy: 0.5,
    learningRate: 0.1,
    imagesPerSecond: 9,
  };
}

function create(name: string) {
  return createRunFolder({ path: join(folder, name), recipe, manifest });
}

function checkpoint(run: string, stepsDone: number): void {
  const model = {
    architecture: 'resnet20' as const,
    width: 1,
    activation: 'relu',
    classes: ['a'],
    shape: [1, 1, 1] as [number, number, number],
    normalise: null,
  };
  writeCheckpoint({ run, name: 'last', step: stepsDone, model, weights: [], state: { epoch: 1 } });
}

function refused(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, message);
    return true;
  };
}

describe('a new run folder', () => {
  it('holds recipe and manifest before anything else happens', () => {
    using run = create('new');
    assert.deepEqual(readStoredRecipe(run.path), recipe);
    assert.deepEqual(readManifest(run.path), manifest);
    assert.deepEqual(readEvents(run.path), []);
    assert.equal(manifest.node, process.versions.node);
    assert.match(manifest.commit ?? '0'.repeat(40), /^[0-9a-f]{40}(-dirty)?$/);
  });

  it('is refused where a run, or anything else, is there', () => {
    create('exists').close();
    assert.throws(() => create('exists'), refused(/Use --out for another folder, or --resume/));
    mkdirSync(join(folder, 'photos'));
    writeFileSync(join(folder, 'photos/cat.jpg'), '');
    assert.throws(() => create('photos'), refused(/Use --out for another folder\.$/));
    assert.deepEqual(readdirSync(join(folder, 'photos')), ['cat.jpg']);
    assert.throws(() => create('photos/cat.jpg/run'), refused(/can be made/));
    writeFileSync(join(folder, 'file'), '');
    assert.throws(() => create('file'), refused(/does not exist yet/));
  });

  it('can be made where a process was killed while it made one', () => {
    mkdirSync(join(folder, 'early'));
    writeFileSync(join(folder, 'early/manifest.json.tmp'), '{');
    writeFileSync(join(folder, 'early/events.jsonl'), '');
    using run = create('early');
    assert.deepEqual(readStoredRecipe(run.path), recipe);
  });

  it('is named after recipe and seed by default', () => {
    assert.equal(defaultRunPath('fashion-mnist-silu', 3), join('runs', 'fashion-mnist-silu-3'));
  });
});

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

describe('a resumed run', () => {
  it('goes on after its last checkpoint, with nothing counted twice', () => {
    const first = create('resumed');
    for (const number of [1, 2, 3]) first.appendEvent(step(number));
    checkpoint(first.path, 2);
    appendFileSync(join(first.path, 'events.jsonl'), '{"type":"step","ti');
    first.close();
    const { run, checkpoint: last } = resumeRunFolder({ path: first.path, recipe });
    assert.equal(last?.progress?.step, 2);
    assert.deepEqual(run.manifest, manifest);
    run.appendEvent(step(3, 7));
    run.close();
    assert.deepEqual(readEvents(run.path), [step(1), step(2), step(3, 7)]);
  });

  it('begins anew where it was killed before the first checkpoint', () => {
    const first = create('begins');
    first.appendEvent({ type: 'start', time, epochs: 3, stepsPerEpoch: 10, parameters: 5 });
    first.appendEvent(step(1));
    first.close();
    const { run, checkpoint: last } = resumeRunFolder({ path: first.path, recipe });
    run.close();
    assert.equal(last, null);
    assert.deepEqual(readEvents(run.path), []);
  });

  it('is refused with another recipe, and the difference is named', () => {
    const { path, close } = create('differs');
    close();
    const other = { ...recipe, training: { ...recipe.training, schedule: { learningRate: 0.2 } } };
    assert.throws(
      () => resumeRunFolder({ path, recipe: other }),
      refused(/training\.schedule\.learningRate is 0\.2 and was 0\.1/),
    );
    resumeRunFolder({ path, recipe }).run.close();
  });

  it('is refused where there is no run or its last checkpoint is damaged', () => {
    assert.throws(
      () => resumeRunFolder({ path: join(folder, 'nothing'), recipe }),
      refused(/folder of a run/),
    );
    const { path, close } = create('damaged');
    checkpoint(path, 2);
    close();
    writeFileSync(join(path, 'checkpoints/last.json'), '{');
    assert.throws(() => resumeRunFolder({ path, recipe }), refused(/last\.json/));
    checkpoint(path, 3);
    resumeRunFolder({ path, recipe }).run.close();
  });

  it('names the first difference of two recipes, missing keys and arrays too', () => {
    assert.equal(firstDifference({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), undefined);
    assert.deepEqual(firstDifference({ a: 1, c: 2 }, { a: 1 }), { path: 'c', first: 2, second: undefined });
    assert.deepEqual(firstDifference({ a: [1, 2] }, { a: [1, 3] }), {
      path: 'a',
      first: [1, 2],
      second: [1, 3],
    });
  });
});

describe('the lock of a run', () => {
  it('keeps a second writer out until the first has ended', () => {
    const first = create('locked');
    assert.throws(() => resumeRunFolder({ path: first.path, recipe }), refused(/process \d+ on/));
    first.close();
    resumeRunFolder({ path: first.path, recipe }).run.close();
    assert.ok(!readdirSync(first.path).some((file) => file.startsWith('lock')));
  });

  it('keeps another process out, and is taken over when that was killed', async () => {
    const { path, close } = create('killed');
    close();
    const program = `
      import { acquireLock } from '${new URL('../../src/files/lock.js', import.meta.url)}';
      acquireLock(${JSON.stringify(path)});
      console.log('locked');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    assert.throws(() => resumeRunFolder({ path, recipe }), refused(new RegExp(`process ${child.pid} on`)));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    resumeRunFolder({ path, recipe }).run.close();
  });

  it('of a process whose number was given again is taken over', () => {
    const { path, close } = create('reused');
    close();
    const owner = { pid: process.pid, host: hostname(), started: 'another-boot/1' };
    writeFileSync(join(path, 'lock'), JSON.stringify(owner));
    resumeRunFolder({ path, recipe }).run.close();
  });

  it('of another machine is respected, and the sentence says how to mend it', () => {
    const { path, close } = create('elsewhere');
    close();
    writeFileSync(join(path, 'lock'), JSON.stringify({ pid: 1, host: 'elsewhere', started: '' }));
    assert.throws(
      () => resumeRunFolder({ path, recipe }),
      refused(/on elsewhere does\. If that has ended, remove/),
    );
  });

  it('goes to exactly one of several processes', () => {
    const { path, close } = create('race');
    close();
    const dead = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(join(path, 'lock'), JSON.stringify({ pid: dead.pid, host: hostname(), started: 'x/1' }));
    const program = `
      import { spawn } from 'node:child_process';
      const one = \`import('${new URL('../../src/files/lock.js', import.meta.url)}').then(({ acquireLock }) => {
        while (Date.now() < Number(process.argv[1])) {}
        try { acquireLock(${JSON.stringify(path)}); console.log('got'); } catch (error) { console.log(error.code); }
        setTimeout(() => {}, 1500);
      });\`;
      const at = String(Date.now() + 800);
      for (let i = 0; i < 4; i++) spawn(process.execPath, ['-e', one, at], { stdio: 'inherit' });`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    assert.deepEqual(stdout.trim().split('\n').sort(), ['got', 'run-locked', 'run-locked', 'run-locked']);
  });
});
