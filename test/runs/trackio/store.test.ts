/** A run's events as trackio's database: its rows, no step twice after an interruption, and what is not replaced. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import sqlite from 'node-sqlite3-wasm';
import { InputError } from '../../../src/errors.js';
import { makeManifest } from '../../../src/provenance/manifest.js';
import type { RunEvent } from '../../../src/runs/events.js';
import { openTrackioStore } from '../../../src/runs/trackio/store.js';
import { hasTrackioStore, storeFolder } from '../../../src/runs/trackio/store-folder.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-trackio-'));
after(() => rmSync(folder, { recursive: true }));
const time = '2026-11-27T10:00:00.500Z';
const step = (step: number, loss = 2.5): RunEvent => ({
  type: 'step',
  time,
  epoch: 1,
  step,
  loss,
  accuracy: 0.25,
  learningRate: 0.1,
  imagesPerSecond: 100,
});
const epoch: RunEvent = {
  type: 'epoch',
  time,
  epoch: 1,
  step: 20,
  seconds: 3,
  measurements: { 'validation/clean': 0.5 },
};

/** A folder with a manifest. */
function runOf(name: string): string {
  const run = join(folder, name);
  mkdirSync(run);
  const engine = { libtorch: '1', source: '', capability: '', threads: 1 };
  const facts = { engine, device: 'cpu', threads: 1, seeds: { run: 0 }, chosen: {} };
  writeFileSync(join(run, 'manifest.json'), JSON.stringify(makeManifest(facts)));
  return run;
}
const recipe = { name: 'tiny.1', training: { epochs: 3 } };
const open = (run: string, before: readonly RunEvent[] = [], now?: () => number) =>
  openTrackioStore(run, { recipe, before, ...(now !== undefined && { now }) });
const fileOf = (run: string, name = 'tiny1') => join(storeFolder(run), `${name}.db`);
function rowsOf(run: string, sql: string, name?: string): Record<string, unknown>[] {
  const database = new sqlite.Database(fileOf(run, name), { readOnly: true });
  try {
    return database.all(sql) as Record<string, unknown>[];
  } finally {
    database.close();
  }
}
const steps = (run: string) => rowsOf(run, 'SELECT step FROM metrics ORDER BY id').map((row) => row.step);

describe('the store of a run', () => {
  const run = runOf('läuft');

  it('has a row for each event that has numbers, and the recipe as the configuration', () => {
    assert.equal(hasTrackioStore(run), false);
    {
      using store = open(run);
      store.append(step(10, Number.NaN));
      store.append({ type: 'warning', time, step: 10, message: 'none' });
      store.append(epoch);
    }
    assert.equal(hasTrackioStore(run), true);
    assert.deepEqual(readdirSync(storeFolder(run)), ['tiny1.db']);
    const rows = rowsOf(run, 'SELECT * FROM metrics ORDER BY id');
    assert.deepEqual(
      rows.map((row) => [row.run_name, row.step, row.timestamp, JSON.parse(String(row.metrics))]),
      [
        [
          'läuft',
          10,
          time,
          {
            'step/loss': 'NaN',
            'step/accuracy': 0.25,
            'step/learning-rate': 0.1,
            'step/images-per-second': 100,
          },
        ],
        ['läuft', 20, time, { 'validation/clean': 0.5 }],
      ],
    );
    const [config, ...others] = rowsOf(run, 'SELECT * FROM configs');
    assert.equal(others.length, 0);
    assert.equal(config!.run_id, rows[0]!.run_id);
    const { _Created, ...kept } = JSON.parse(String(config!.config));
    assert.deepEqual(kept, recipe);
    assert.equal(rowsOf(run, 'PRAGMA user_version')[0]!.user_version, 2);
  });

  it('is made anew by a process that goes on, under the same id: no step is there twice', () => {
    const [{ id }] = rowsOf(run, 'SELECT run_id AS id FROM configs') as [{ id: string }];
    writeFileSync(join(storeFolder(run), 'satin.work'), 'of a process that was killed');
    mkdirSync(join(storeFolder(run), 'satin.work.lock'));
    {
      using store = open(run, [step(10)]);
      store.append(step(15));
    }
    assert.deepEqual(steps(run), [10, 15]);
    assert.equal(rowsOf(run, 'SELECT run_id AS id FROM configs')[0]!.id, id);
  });

  it('is shown every ten seconds at most, whole, and at the end', () => {
    let clock = 0;
    {
      using store = open(run, [step(1)], () => clock);
      store.append(step(2));
      assert.deepEqual(steps(run), [1]);
      clock = 10_000;
      store.append(step(3));
      assert.deepEqual(steps(run), [1, 2, 3]);
      store.append(step(4));
      assert.deepEqual(steps(run), [1, 2, 3]);
    }
    assert.deepEqual(steps(run), [1, 2, 3, 4]);
  });

  it('is left as it is while trackio writes to it', () => {
    const log = `${fileOf(run)}-wal`;
    {
      using store = open(run, [step(1)]);
      store.append(step(2));
      writeFileSync(log, 'frames');
    }
    assert.throws(() => open(run), /Expected a database that no program is writing to .* Close trackio/);
    rmSync(log);
    assert.deepEqual(steps(run), [1]);
    open(run, [step(1), step(2)])[Symbol.dispose]();
    assert.deepEqual(steps(run), [1, 2]);
  });
});

describe('a file by the name of the store', () => {
  it('is not replaced unless Satin wrote it', () => {
    const run = runOf('foreign');
    mkdirSync(storeFolder(run));
    const foreign = new sqlite.Database(fileOf(run));
    foreign.exec('CREATE TABLE metrics (id INTEGER)');
    foreign.close();
    for (const [bytes, sentence] of [
      [readFileSync(fileOf(run)), /Another program wrote it: move it elsewhere/],
      [Buffer.from('no database'), /It is no database: move it elsewhere/],
      [Buffer.alloc(0), /It is no database/],
    ] as const) {
      writeFileSync(fileOf(run), bytes);
      assert.throws(() => open(run), sentence);
      assert.deepEqual(readFileSync(fileOf(run)), bytes);
    }
  });

  it('where none can be written is an error with a sentence', () => {
    const run = runOf('blocked');
    writeFileSync(storeFolder(run), '');
    assert.throws(() => open(run), InputError);
  });

  it('has a name that trackio has not reserved', () => {
    for (const [name, file] of [
      ['registry-a', 'satin-registry-a-run'],
      ['a_system', 'satin-a_system-run'],
      ['...', 'satin--run'],
      ['a.b-c_1', 'ab-c_1'],
    ] as const) {
      const run = runOf(`named-${file}`);
      openTrackioStore(run, { recipe: { name }, before: [step(1)] })[Symbol.dispose]();
      assert.equal(rowsOf(run, 'SELECT * FROM metrics', file).length, 1);
    }
  });
});
