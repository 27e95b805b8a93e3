import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mainFile, satin } from './tiny-run.js';

export interface KillOptions {
  /** A recipe file. */
  readonly recipe: string;
  /** The run folder; made by this. */
  readonly path: string;
  readonly kills: number;
  /** Draws the moments, from 0 to `longest` milliseconds. */
  readonly seed: number;
  readonly longest: number;
}

/**
 * Trains with a checkpoint after every step, kills the process at a random moment after it began to log, and starts it
 * again with --resume-or-start, `kills` times; then lets it end.
 *
 * @returns the files that lay in `checkpoints/` after each kill.
 */
export async function killAndResume({
  recipe,
  path,
  kills,
  seed,
  longest,
}: KillOptions): Promise<readonly string[][]> {
  const words = ['train', recipe, '--out', path, '--resume-or-start', '--set', 'training.checkpointEvery=1'];
  const left: string[][] = [];
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  while (left.length < kills) {
    const child = spawn(process.execPath, [mainFile, ...words], { stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const events = join(path, 'events.jsonl');
    const sizeOf = () => (existsSync(events) ? statSync(events).size : -1);
    const before = sizeOf();
    while (child.exitCode === null && (sizeOf() <= 0 || sizeOf() === before)) await sleep(1);
    await sleep(random() * longest);
    child.kill('SIGKILL');
    const status = await ended;
    assert.equal(status, null, 'the run was killed before its end');
    const checkpoints = join(path, 'checkpoints');
    left.push(existsSync(checkpoints) ? readdirSync(checkpoints).sort() : []);
  }
  const { status, stderr } = satin(...words);
  assert.equal(status, 0, stderr);
  return left;
}
