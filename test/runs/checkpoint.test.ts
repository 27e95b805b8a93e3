import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../src/errors.js';
import type { WriteBytes } from '../../src/files/durable-file.js';
import { type CheckpointName, readCheckpoint, writeCheckpoint } from '../../src/runs/checkpoint.js';
import { encodeSafetensors, type NamedArray } from '../../src/weights/safetensors.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-checkpoint-'));
after(() => rmSync(folder, { recursive: true }));

const model = {
  architecture: 'resnet20' as const,
  width: 0.5,
  activation: 'silu',
  classes: ['T-shirt', 'Pullover'],
  shape: [1, 28, 28] as [number, number, number],
  normalise: { mean: [0.25], std: [0.5] },
};

function arrayOf(name: string, value: number, length = 64): NamedArray {
  return {
    name,
    dtype: 'F32',
    shape: [length],
    bytes: new Uint8Array(new Float32Array(length).fill(value).buffer),
  };
}

interface Written {
  readonly run: string;
  readonly step: number;
  readonly name?: CheckpointName;
  readonly write?: WriteBytes;
}

/** A checkpoint in which every number is the step. */
function write({ run, step, name = 'last', write }: Written): string {
  return writeCheckpoint({
    run,
    name,
    step,
    model,
    weights: [arrayOf('conv.weight', step)],
    optimizer: [arrayOf('conv.weight', -step)],
    state: { epoch: step / 10 },
    ...(write === undefined ? {} : { write }),
  }).weightsDigest;
}

function newRun(name: string): string {
  const run = join(folder, name);
  mkdirSync(run);
  return run;
}

function filesOf(run: string): string[] {
  return readdirSync(join(run, 'checkpoints')).sort();
}

function assertWhole(path: string, step: number): void {
  const { weights, progress } = readCheckpoint({ path });
  assert.deepEqual(weights, [arrayOf('conv.weight', step)]);
  assert.deepEqual(progress, {
    step,
    state: { epoch: step / 10 },
    optimizer: [arrayOf('conv.weight', -step)],
  });
}

const files = (step: number) =>
  ['last.json', `last-${step}.optimizer.safetensors`, `last-${step}.safetensors`].sort();

describe('a checkpoint', () => {
  it('comes back from a run folder and from its JSON, and the one before is removed', () => {
    const run = newRun('whole');
    write({ run, step: 10 });
    write({ run, step: 20 });
    assertWhole(run, 20);
    assertWhole(join(run, 'checkpoints/last.json'), 20);
    assert.deepEqual(filesOf(run), files(20));
  });

  it('is best before last, unless the reader asks otherwise', () => {
    const run = newRun('names');
    write({ run, step: 10, name: 'best' });
    write({ run, step: 20 });
    assert.equal(readCheckpoint({ path: run }).progress?.step, 10);
    assert.equal(readCheckpoint({ path: run, names: ['last'] }).progress?.step, 20);
  });

  it('lets a lone weights file say what it is', () => {
    const run = newRun('lone');
    const digest = write({ run, step: 10 });
    const lone = join(folder, 'lone.safetensors');
    cpSync(join(run, 'checkpoints/last-10.safetensors'), lone);
    const read = readCheckpoint({ path: lone });
    assert.deepEqual(read.model, model);
    assert.equal(read.progress, null);
    assert.equal(read.weightsDigest, digest);
    assert.equal(digest, `sha256:${execFileSync('sha256sum', [lone], { encoding: 'utf8' }).split(' ')[0]}`);
  });

  it('may be written twice at one step', () => {
    const run = newRun('twice');
    for (let count = 0; count < 3; count++) write({ run, step: 10 });
    assertWhole(run, 10);
    assert.equal(filesOf(run).length, 3);
  });

  it('refuses a state that JSON would change', () => {
    const run = newRun('state');
    const state = { best: Number.NEGATIVE_INFINITY };
    assert.throws(
      () => writeCheckpoint({ run, name: 'last', step: 1, model, weights: [], state }),
      TypeError,
    );
  });
});

describe('a damaged checkpoint', () => {
  const run = newRun('damaged');
  write({ run, step: 10, name: 'best' });
  write({ run, step: 20 });
  const checkpoints = join(run, 'checkpoints');

  function refusesWith(
    file: string,
    change: (bytes: Buffer) => Uint8Array,
    path = run,
    advice = /best\.json instead/,
  ) {
    const whole = readFileSync(join(checkpoints, file));
    writeFileSync(join(checkpoints, file), change(Buffer.from(whole)));
    try {
      assert.throws(
        () => readCheckpoint({ path, names: ['last'] }),
        (error) => {
          assert.ok(error instanceof InputError, String(error));
          assert.ok(error.message.includes(file), error.message);
          assert.match(error.message, advice);
          return true;
        },
      );
    } finally {
      writeFileSync(join(checkpoints, file), whole);
    }
  }

  const flip = (place: number) => (bytes: Buffer) => {
    const index = Math.floor(place * (bytes.length - 1));
    bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index);
    return bytes;
  };

  for (const file of ['last-20.safetensors', 'last-20.optimizer.safetensors'])
    it(`is refused with another one to use, where ${file} has a flipped byte or is cut short`, () => {
      for (const place of [0, 0.3, 0.6, 0.9, 1]) refusesWith(file, flip(place));
      for (const part of [0, 0.5, 0.999])
        refusesWith(file, (bytes) => bytes.subarray(0, bytes.length * part));
    });

  it('is refused where a byte of the JSON differs or it is cut short', () => {
    const changeStep = (bytes: Buffer) => Buffer.from(bytes.toString().replace('"epoch": 2', '"epoch": 3'));
    refusesWith('last.json', changeStep);
    refusesWith('last.json', (bytes) => bytes.subarray(0, bytes.length / 2));
    refusesWith('last.json', () => Buffer.alloc(0));
    refusesWith('last.json', () => Buffer.from('['.repeat(20_000) + ']'.repeat(20_000)));
  });

  it('is refused where it is a lone weights file with any byte flipped', () => {
    const file = 'last-20.safetensors';
    const path = join(checkpoints, file);
    const { length } = readFileSync(path);
    for (let index = 0; index < length; index += 7) refusesWith(file, flip(index / (length - 1)), path, /./);
  });

  it('does not lead to files elsewhere', () => {
    const away = (bytes: Buffer) => Buffer.from(bytes.toString().replace('last-20.safe', '../last-20.safe'));
    refusesWith('last.json', away, run, /Expected the name of a \.safetensors file/);
  });

  it('is refused where the description of its network is none', () => {
    const other = join(folder, 'undescribed.safetensors');
    const write = (model: string) => {
      const digest = `sha256:${createHash('sha256')
        .update(encodeSafetensors([], { satin: '1', model }))
        .digest('hex')}`;
      writeFileSync(other, encodeSafetensors([], { satin: '1', model, digest }));
    };
    const cases: readonly (readonly [model: string, sentence: RegExp])[] = [
      ['{nope', /the description of its network is not JSON/],
      ['['.repeat(20_000), /not JSON: it is nested more than 100 deep/],
      ['[]', /Expected a section of keys for the root/],
      [JSON.stringify({ ...model, shape: [3, 1e9, 1e9] }), /an image of at most 268435456 values for shape/],
    ];
    for (const [described, sentence] of cases) {
      write(described);
      assert.throws(
        () => readCheckpoint({ path: other }),
        (error) =>
          error instanceof InputError && sentence.test(error.message) && error.message.includes(other),
      );
    }
  });

  it('is told from a file that is no checkpoint', () => {
    const other = join(folder, 'other.safetensors');
    writeFileSync(other, encodeSafetensors([arrayOf('a', 1)], { format: 'pt' }));
    assert.throws(() => readCheckpoint({ path: other }), /Expected weights written by Satin/);
    assert.throws(() => readCheckpoint({ path: newRun('empty') }), /It contains no checkpoint/);
    assert.throws(() => readCheckpoint({ path: join(folder, 'nothing') }), InputError);
  });
});

/** A disk that takes `room` bytes and is full then. */
function fullAfter(room: number): WriteBytes {
  let left = room;
  return (file, bytes) => {
    if (left === 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const part = bytes.subarray(0, left);
    left -= part.length;
    return writeSync(file, part);
  };
}

function isDiskFull(error: unknown): boolean {
  return error instanceof InputError && error.code === 'disk-full';
}

describe('a full disk', () => {
  it('at any byte leaves the checkpoint before and nothing half-written', () => {
    const run = newRun('full');
    write({ run, step: 10 });
    let room = 0;
    for (; ; room += 97) {
      try {
        write({ run, step: 20, write: fullAfter(room) });
        break;
      } catch (error) {
        assert.ok(isDiskFull(error), String(error));
      }
      assertWhole(run, 10);
      assert.deepEqual(filesOf(run), files(10));
    }
    assert.ok(room > 500, 'the disk was full in the weights, the optimizer and the JSON');
    assertWhole(run, 20);
  });

  it('is met on a real file system of 64 kB, where one can be mounted', (context) => {
    const run = newRun('small-disk');
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', run], { stdio: 'ignore' });
    } catch {
      context.skip('mounting needs root');
      return;
    }
    try {
      write({ run, step: 10 });
      const weights = [arrayOf('large', 1, 100_000)];
      const large = { run, name: 'last' as const, step: 20, model, weights, state: null };
      assert.throws(() => writeCheckpoint(large), isDiskFull);
      assertWhole(run, 10);
      assert.deepEqual(filesOf(run), files(10));
    } finally {
      execFileSync('umount', [run]);
    }
  });
});

describe('a process that is killed while it writes checkpoints', () => {
  it('leaves a whole one at any moment', async () => {
    const run = newRun('killed');
    write({ run, step: 0 });
    const program = `
      import { writeCheckpoint } from '${new URL('../../src/runs/checkpoint.js', import.meta.url)}';
      const bytes = (value) => new Uint8Array(new Float32Array(64).fill(value).buffer);
      const array = (value) => [{ name: 'conv.weight', dtype: 'F32', shape: [64], bytes: bytes(value) }];
      for (let step = Number(process.argv[1]); ; step += 10)
        writeCheckpoint({ run: ${JSON.stringify(run)}, name: 'last', step, model: ${JSON.stringify(model)},
          weights: array(step), optimizer: array(-step), state: { epoch: step / 10 } });`;
    let step = 0;
    for (let count = 0; count < 10; count++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, String(step + 10)]);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      await sleep(200 + 37 * count);
      child.kill('SIGKILL');
      await ended;
      step = readCheckpoint({ path: run }).progress?.step ?? -1;
      assertWhole(run, step);
    }
    assert.ok(step > 100, `the processes wrote checkpoints (the last at step ${step})`);
  });
});
