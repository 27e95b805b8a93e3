/** A folder of runs and evaluations as `serve` finds them, made without the engine. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { parseAttack } from '../../src/attacks/attack.js';
import type { Dataset } from '../../src/data/dataset.js';
import { pixelsDigest } from '../../src/data/digest.js';
import type { EvaluationManifest } from '../../src/evaluation/folder/manifest.js';
import { newEvaluationFolder } from '../../src/evaluation/folder/new-folder.js';
import { wilsonInterval } from '../../src/evaluation/statistics.js';
import { perClass, summary } from '../../src/evaluation/summary.js';
import { makeManifest } from '../../src/provenance/manifest.js';
import type { RunEvent } from '../../src/runs/events.js';

/** A new folder, removed at the end of the process. */
export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'satin-serve-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const began = Date.parse('2026-01-01T00:00:00.000Z');
const timeOf = (step: number) => new Date(began + step * 1000).toISOString();

export function step(number: number, change: Partial<Extract<RunEvent, { type: 'step' }>> = {}): RunEvent {
  return {
    type: 'step',
    time: timeOf(number),
    epoch: 1 + Math.floor((number - 1) / 10),
    step: number,
    loss: 2 / number,
    accuracy: 0.5,
    learningRate: 0.1,
    imagesPerSecond: 100,
    ...change,
  };
}

export function epoch(number: number, robust: number, clean = robust + 0.1): RunEvent {
  return {
    type: 'epoch',
    time: timeOf(number * 10),
    epoch: number,
    step: number * 10,
    seconds: 12,
    measurements: { 'train/loss': 1, 'validation/clean': clean, 'validation/robust/linf-0.1/pgd-10': robust },
  };
}

export const start: RunEvent = {
  type: 'start',
  time: timeOf(0),
  epochs: 3,
  stepsPerEpoch: 10,
  parameters: 1234,
  device: 'cpu',
  card: null,
  precision: 'float32',
};
export const end: Extract<RunEvent, { type: 'end' }> = {
  type: 'end',
  time: timeOf(31),
  epoch: 3,
  step: 30,
  seconds: 36,
};
export const warning = (message: string, at = 5): RunEvent => ({
  type: 'warning',
  time: timeOf(at),
  step: at,
  message,
});

/** Three epochs, of which the second is the best. */
export const wholeRun: readonly RunEvent[] = [
  start,
  ...Array.from({ length: 30 }, (_, at) => step(at + 1)).flatMap((each, at) =>
    at % 10 === 9 ? [each, epoch((at + 1) / 10, [0.2, 0.4, 0.3][(at - 9) / 10]!)] : [each],
  ),
  end,
];

const recipe = {
  name: 'tiny',
  data: { name: 'mnist' },
  model: { name: 'resnet8', activation: 'silu' },
  threat: { norm: 'linf', epsilon: 0.1, epsilonText: '0.1' },
  training: { objective: 'pgd', attack: { steps: 1, epsilonWarmup: 2 }, epochs: 3, seed: 7 },
};

export const facts = {
  engine: { libtorch: '1.13.1', cuda: false },
  device: 'cpu',
  threads: 1,
  seeds: { run: 0, validation: 0 },
  chosen: {},
};
/** Made once: it asks git for the commit. */
const manifest = makeManifest(facts);

export function lines(events: readonly RunEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

export function writeRun(
  folder: string,
  events: readonly RunEvent[],
  { activation = 'silu', isAlive = false }: { readonly activation?: string; readonly isAlive?: boolean } = {},
): void {
  mkdirSync(folder, { recursive: true });
  const own = { ...recipe, model: { ...recipe.model, activation } };
  writeFileSync(join(folder, 'recipe.json'), JSON.stringify(own));
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'events.jsonl'), lines(events));
  if (isAlive) writeFileSync(join(folder, 'lock'), '{}');
}

export function appendEvents(folder: string, events: readonly RunEvent[]): void {
  appendFileSync(join(folder, 'events.jsonl'), lines(events));
}

/** Ends the signs of life of a run. */
export function ageLock(folder: string): void {
  const old = Date.now() / 1000 - 600;
  utimesSync(join(folder, 'lock'), old, old);
}

const classes = ['plane', 'car'];
const shape = [1, 2, 2] as const;

/**
 * An evaluation of four images: number 3 is wrong without attack, APGD-CE breaks number 0 and APGD-DLR number 1, whose
 * first pixel they raise by ε.
 */
export function writeEvaluation(
  folder: string,
  { epsilon = 0.1, isFinished = true }: { readonly epsilon?: number; readonly isFinished?: boolean } = {},
): void {
  mkdirSync(dirname(folder), { recursive: true });
  const data: Dataset = {
    name: 'mnist:test',
    classes,
    shape: [...shape],
    images: Uint8Array.from({ length: 16 }, (_, at) => at * 10),
    labels: Uint8Array.of(0, 1, 0, 1),
    ids: Uint32Array.of(10, 11, 12, 13),
    order: 'file',
    warnings: [],
  };
  const names = ['apgd-ce', 'apgd-dlr'];
  const stored: EvaluationManifest = {
    ...manifest,
    evaluation: {
      modelDigest: 'sha256:a',
      input: null,
      data: data.name,
      classes,
      examples: 4,
      pixelsDigest: pixelsDigest(data),
      norm: 'linf',
      epsilon,
      seed: 0,
      attacks: names,
      surrogates: [],
      alone: false,
      checks: 'quick',
      precision: 'float32',
    },
    model: 'runs/silu',
    warnings: [],
    outputs: null,
    epsilonText: String(epsilon),
    files: null,
    chosen: { batch: 4, measured: null, random: false },
  };
  using opening = newEvaluationFolder(folder);
  using opened = opening.create({ data, manifest: stored });
  const attacked = (index: number) =>
    Float32Array.from({ length: 4 }, (_, at) => (index * 4 + at) * (10 / 255) + (at === 0 ? epsilon : 0));
  opened.ledger.add([
    ...[0, 1, 2, 3].map((index) => ({ type: 'clean' as const, index, right: index < 3 })),
    { type: 'cost', stage: 'clean', part: 'sequence', forwards: 4, backwards: 0, seconds: 1 },
    { type: 'broken', attack: 'apgd-ce', index: 0, image: attacked(0) },
    { type: 'stood', attack: 'apgd-ce', index: 1 },
    { type: 'stood', attack: 'apgd-ce', index: 2 },
    { type: 'cost', stage: 'apgd-ce', part: 'sequence', forwards: 30, backwards: 30, seconds: 1 },
  ]);
  if (!isFinished) return;
  opened.ledger.add([
    { type: 'broken', attack: 'apgd-dlr', index: 1, image: attacked(1) },
    { type: 'stood', attack: 'apgd-dlr', index: 2 },
    { type: 'cost', stage: 'apgd-dlr', part: 'sequence', forwards: 20, backwards: 20, seconds: 1 },
  ]);
  const { adversarial: _, ...whole } = summary(opened.ledger, {
    data,
    attacks: names.map(parseAttack),
    epsilon,
    classes: 2,
    alone: false,
  });
  opened.finish({
    ...whole,
    satin: '0.1.0',
    model: 'runs/silu',
    modelDigest: 'sha256:a',
    weights: null,
    data: data.name,
    pixelsDigest: pixelsDigest(data),
    examples: 4,
    norm: 'linf',
    epsilon,
    epsilonText: String(epsilon),
    seed: 0,
    mode: 'custom',
    interval: wilsonInterval(1, 4),
    perClass: perClass(whole.perExample, classes),
    flags: [{ code: 'made-up', message: 'This evaluation is made up.' }],
    warnings: [],
    batch: { size: 4, measured: null },
    engine: {
      libtorch: '1.13.1',
      capability: 'AVX2',
      threads: 1,
      device: 'cpu',
      card: null,
      node: '20.0.0',
      commit: null,
    },
    precision: { search: 'float32', verdict: 'float32' },
    search: 'operators',
    command: 'satin evaluate runs/silu',
  });
}
