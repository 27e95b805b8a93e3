import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseRecipe, type Recipe } from '../../src/recipe/recipe.js';
import { readCheckpoint } from '../../src/runs/checkpoint.js';
import { readEvents } from '../../src/runs/event-log.js';
import type { RunEvent } from '../../src/runs/events.js';

/** `dist/src/cli/main.js`: what `./satin` runs after the set-up. */
export const mainFile = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command line in a process of its own. */
export function satin(...words: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [mainFile, ...words], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** The idx format of MNIST. */
export function idx(dimensions: readonly number[], values: Iterable<number>): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.set([0, 0, 8, dimensions.length]);
  for (const [axis, length] of dimensions.entries()) header.writeUInt32BE(length, 4 + 4 * axis);
  return Buffer.concat([header, Uint8Array.from(values)]);
}

/** A folder as MNIST has it, of 160 training and 64 test images of 8x8 pixels: a bright row or column for each class. */
export function writeTinyMnist(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [prefix, count] of [
    ['train', 160],
    ['t10k', 64],
  ] as const) {
    const labels = Array.from({ length: count }, (_, place) => (place * 7 + (place >> 4)) % 10);
    let state = count;
    const pixels = labels.flatMap((label) =>
      Array.from({ length: 64 }, (_, at) => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        const line = label < 5 ? at >> 3 : at & 7;
        return (state >>> 25) + (line === 1 + (label % 5) ? 110 : 0);
      }),
    );
    writeFileSync(join(folder, `${prefix}-images-idx3-ubyte`), idx([count, 8, 8], pixels));
    writeFileSync(join(folder, `${prefix}-labels-idx1-ubyte`), idx([count], labels));
  }
}

/** A recipe of 24 steps, three epochs, for the data of `writeTinyMnist`: a second on one thread. JSON is YAML too. */
export function tinyRecipe(dir: string) {
  return {
    name: 'tiny',
    data: { name: 'mnist', dir, validation: 32, augment: { flip: true, crop: 1 } },
    model: { name: 'resnet8', width: 0.25, activation: 'silu' },
    threat: { norm: 'linf', epsilon: 0.1 },
    training: {
      objective: 'pgd',
      attack: { steps: 1 },
      epochs: 3,
      batch: 16,
      schedule: { name: 'one-cycle', learningRate: 0.1, warmup: 1 },
    },
    validation: { attack: 'pgd-2', examples: 32, batch: 16 },
    threads: 1,
  };
}

/** The same, validated; `training` replaces values of its training section. */
export function tinyTraining(dir: string, training: Readonly<Record<string, unknown>> = {}): Recipe {
  const recipe = tinyRecipe(dir);
  return parseRecipe({ ...recipe, training: { ...recipe.training, ...training } }, 'the tiny recipe');
}

/** All that a run comes to: both checkpoints to the bit, and its events without what a clock or a stop wrote. */
export function outcome(run: string) {
  const checkpoint = (name: 'last' | 'best') => {
    const { weights, weightsDigest, progress } = readCheckpoint({ path: run, names: [name] });
    return { weights, weightsDigest, progress };
  };
  return { last: checkpoint('last'), best: checkpoint('best'), events: readEvents(run).flatMap(lasting) };
}

function lasting(event: RunEvent): object[] {
  if (event.type === 'interrupted' || event.type === 'resume' || event.type === 'checkpoint') return [];
  const clocked = ['time', 'seconds', 'imagesPerSecond'];
  return [Object.fromEntries(Object.entries(event).filter(([key]) => !clocked.includes(key)))];
}
