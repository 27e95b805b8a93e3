import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import sqlite from 'node-sqlite3-wasm';
import { InputError } from '../../errors.js';
import { makeFolder } from '../../files/make-folder.js';
import { explainWriteError } from '../../files/system-error.js';
import type { RunEvent } from '../events.js';
import { readManifest } from '../run-folder.js';
import { scalarsOf } from '../scalars.js';
import { storeFolder } from './store-folder.js';

/** A database in `RUN/trackio`, for `TRACKIO_DIR=RUN/trackio trackio show`. */
export interface TrackioStore extends Disposable {
  append(event: RunEvent): void;
}

export interface TrackioStoreOptions {
  /** The complete recipe, which trackio shows as the run's configuration. */
  readonly recipe: { readonly name: string };
  /** Events so far. */
  readonly before: readonly RunEvent[];
  /** A clock in milliseconds. @default performance.now */
  readonly now?: () => number;
}

/** In the header of each database that is written here, at byte 68: SQLite keeps it for programs to know their files by. */
const applicationId = 0x53617431; // 'Sat1'
const headerLength = 100;
/** The shortest time between two states that trackio sees, in milliseconds. */
const pause = 10_000;

/**
 * Tables of trackio's schema version 2 (huggingface.co/docs/trackio/storage_schema) that hold what Satin writes; trackio adds its
 * others when it needs them.
 */
const schema = `
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = 2;
  PRAGMA synchronous = OFF;
  CREATE TABLE metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL, run_name TEXT NOT NULL,
    step INTEGER NOT NULL, metrics TEXT NOT NULL, log_id TEXT, space_id TEXT
  );
  CREATE INDEX idx_metrics_run_step ON metrics(run_id, step);
  CREATE INDEX idx_metrics_run_timestamp ON metrics(run_id, timestamp);
  CREATE UNIQUE INDEX idx_metrics_log_id ON metrics(log_id) WHERE log_id IS NOT NULL;
  CREATE TABLE configs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, run_name TEXT NOT NULL, config TEXT NOT NULL,
    created_at TEXT NOT NULL, UNIQUE(run_id)
  );
`;

/**
 * Opens a store of trackio beside `events.jsonl`, with the events so far: the store of an earlier process is made anew, since
 * steps that are repeated after an interruption would be there twice. Rows are added to a file that trackio does not see, of
 * which it is given a copy every ten seconds at most, so that no lock is shared with it.
 *
 * @throws {InputError} for a database there that Satin did not write or that trackio is writing to, and if none can be written.
 */
export function openTrackioStore(run: string, options: TrackioStoreOptions): TrackioStore {
  const { recipe, before, now = () => performance.now() } = options;
  const folder = storeFolder(run);
  const path = join(folder, `${projectName(recipe.name)}.db`);
  makeFolder(folder);
  requireOwn(path);
  requireUnwritten(path);
  // Of a process that was killed, and what belongs to the database that is replaced.
  for (const name of readdirSync(folder))
    if (name.startsWith(working)) rmSync(join(folder, name), { recursive: true });
  const { started } = readManifest(run);
  const name = basename(resolve(run));
  const id = createHash('sha256').update(`${started} ${name}`).digest('hex').slice(0, 32);
  const file = join(folder, working);
  const explained = <T>(body: () => T): T => {
    try {
      return body();
    } catch (error) {
      const text = error instanceof sqlite.SQLite3Error ? new Error(error.message, { cause: error }) : error;
      throw text instanceof InputError ? text : writeError(path, text);
    }
  };
  const database = explained(() => {
    const opened = new sqlite.Database(file);
    opened.exec(schema);
    return opened;
  });
  const insert = database.prepare(
    'INSERT INTO metrics (run_id, timestamp, run_name, step, metrics, log_id) VALUES (?, ?, ?, ?, ?, ?)',
  );
  let rows = 0;
  const add = (event: RunEvent) => {
    const scalars = scalarsOf(event);
    if (scalars.length === 0 || !('step' in event)) return;
    const values = Object.fromEntries(scalars.map(({ tag, value }) => [tag, jsonNumber(value)]));
    rows += 1;
    insert.run([id, event.time, name, event.step, JSON.stringify(values), `${id}-${rows}`]);
  };
  /** trackio applies what it has written aside to whatever file is there: then it is replaced later. */
  const publish = () => {
    if (database.inTransaction) database.exec('COMMIT');
    if (isWrittenTo(path)) return;
    copyFileSync(file, `${path}.tmp`);
    renameSync(`${path}.tmp`, path);
  };
  const begin = () => {
    if (!database.inTransaction) database.exec('BEGIN');
  };
  explained(() => {
    begin();
    database.run('INSERT INTO configs (run_id, run_name, config, created_at) VALUES (?, ?, ?, ?)', [
      id,
      name,
      JSON.stringify({ ...recipe, _Created: started }),
      started,
    ]);
    for (const event of before) add(event);
    publish();
  });
  let published = now();
  return {
    append: (event) =>
      explained(() => {
        begin();
        add(event);
        if (now() - published < pause) return;
        publish();
        published = now();
      }),
    [Symbol.dispose]: () =>
      explained(() => {
        publish();
        insert.finalize();
        database.close();
        rmSync(file, { force: true });
      }),
  };
}

/** The file that is written to; trackio lists files that end with `.db`. */
const working = 'satin.work';

/** A project's file has the characters of its name that trackio keeps, and none of the ends and beginnings that it reserves. */
function projectName(recipe: string): string {
  const kept = recipe.replaceAll(/[^\w-]/g, '');
  const isReserved =
    /^registry-|_(system|configs|traces|artifacts|artifact_versions|artifact_aliases|run_artifact_links|external_run_artifact_links)$/;
  return kept === '' || isReserved.test(kept) ? `satin-${kept}-run` : kept;
}

/** JSON has no such numbers: trackio writes and reads them as texts. */
const jsonNumber = (value: number): number | string => (Number.isFinite(value) ? value : String(value));

/** @throws {InputError} for a file that is no database of Satin's. */
function requireOwn(path: string): void {
  if (!existsSync(path)) return;
  const header = Buffer.alloc(headerLength);
  const file = openSync(path, 'r');
  try {
    readSync(file, header, 0, headerLength, 0);
  } finally {
    closeSync(file);
  }
  const isDatabase = header.subarray(0, 16).toString('latin1') === 'SQLite format 3\0';
  if (isDatabase && header.readUInt32BE(68) === applicationId) return;
  throw InputError.expected(
    'a database that Satin wrote for trackio, or none,',
    'the store of the run',
    path,
    `${isDatabase ? 'Another program wrote it' : 'It is no database'}: move it elsewhere.`,
  );
}

/** Whether a program has the database open and has written to it aside, in SQLite's write-ahead log. */
const isWrittenTo = (path: string): boolean =>
  (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;

/** @throws {InputError} while trackio is writing to the database. */
function requireUnwritten(path: string): void {
  if (isWrittenTo(path))
    throw InputError.expected(
      'a database that no program is writing to',
      'the store of the run',
      path,
      'Close trackio, then start again.',
    );
}

/** What SQLite or the system says of a file that cannot be written. */
function writeError(path: string, error: unknown): unknown {
  const explained = explainWriteError(path, error);
  if (explained !== error || !(error instanceof Error)) return explained;
  return new InputError('cannot-write', `Expected to write ${path} but SQLite says: ${error.message}.`, {
    cause: error,
  });
}
