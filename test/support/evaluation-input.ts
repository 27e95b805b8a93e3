import type { EvaluationResult, ExampleResult } from '../../src/evaluation/result.js';
import { wilsonInterval } from '../../src/evaluation/statistics.js';
import { perClass } from '../../src/evaluation/summary.js';
import type { EvaluationPageInput } from '../../src/report/evaluation/input.js';
import { theModel } from '../../src/report/gallery.js';
import { example, picture } from './report-input.js';

const names = ['apgd-ce', 'apgd-t', 'fab-t', 'square'] as const;

export interface MadeUp {
  readonly classes: readonly string[];
  readonly examples: number;
  readonly flags?: EvaluationResult['flags'];
  readonly alone?: boolean;
  readonly mode?: EvaluationResult['mode'];
}

/** A plausible evaluation: of ten images two are wrong, two fall to APGD-CE, one to APGD-T, and some to FAB. */
export function madeUp({ classes, examples, flags = [], alone = true, mode = 'standard' }: MadeUp) {
  const perExample = Array.from({ length: examples }, (_, id): ExampleResult => {
    const digit = (id * 7 + (id >> 3)) % 10;
    const brokenBy = digit === 2 || digit === 3 ? 'apgd-ce' : digit === 4 ? 'apgd-t' : null;
    const late = id % 97 === 13 && brokenBy === null ? 'fab-t' : brokenBy;
    return { id, label: id % classes.length, clean: digit > 1, brokenBy: digit > 1 ? late : null };
  });
  const right = perExample.filter(({ clean }) => clean);
  let attacked = right.length;
  const attacks = names.map((name, place) => {
    const broken = right.filter(({ brokenBy }) => brokenBy === name).length;
    const before = attacked;
    attacked -= broken;
    return {
      name,
      loss: ['ce', 'targeted-dlr', 'distance', 'margin'][place]!,
      steps: name === 'square' ? 5000 : 100,
      stepSize: null,
      restarts: 1,
      targets: name.endsWith('-t') ? 9 : 0,
      attacked: before,
      broken,
      robustAfter: attacked / examples,
      forwards: before * 1234,
      backwards: name === 'square' ? 0 : before * 1200,
      seconds: before * 0.31,
      ...(alone
        ? {
            alone: {
              attacked: right.length,
              broken: broken + place,
              forwards: right.length * 1300,
              backwards: 0,
              seconds: 12,
            },
          }
        : {}),
    };
  });
  const result: EvaluationResult = {
    satin: '0.1.0',
    model: 'models/<b>net</b>.pt',
    modelDigest: `sha256:${'ab'.repeat(32)}`,
    weights: null,
    data: 'photos & more:test',
    pixelsDigest: `sha256:${'cd'.repeat(32)}`,
    examples,
    norm: 'linf',
    epsilon: 8 / 255,
    epsilonText: '8/255',
    seed: 0,
    mode,
    clean: right.length / examples,
    robust: attacked / examples,
    interval: wilsonInterval(attacked, examples),
    perClass: perClass(perExample, classes),
    attacks,
    flags,
    warnings: ['Skipped 2 entries of photos that are no images: a/<b>, c.'],
    perExample,
    batch: { size: 250, measured: null },
    precision: { search: 'float32', verdict: 'float32' },
    search: 'operators',
    engine: {
      libtorch: '1.13.1',
      capability: 'AVX2',
      threads: 2,
      device: 'cpu',
      card: null,
      node: '20.20.2',
      commit: 'abc123',
    },
    command: "./satin evaluate 'models/<b>net</b>.pt' --autoattack standard",
    seconds: 754.2,
  };
  return result;
}

/** The page's input about it. */
export function pageInput(result: EvaluationResult): EvaluationPageInput {
  const right = result.perExample.filter(({ clean }) => clean).length;
  const epsilons = [
    '0',
    '2/255',
    '4/255',
    '6/255',
    '8/255',
    '10/255',
    '12/255',
    '16/255',
    '24/255',
    '32/255',
  ];
  return {
    result,
    isWhole: true,
    cleanInterval: wilsonInterval(right, result.examples),
    curve: epsilons.map((epsilonText, place) => {
      const standing = Math.round(160 * Math.exp(-place / 3));
      return {
        epsilon: Number.parseInt(epsilonText, 10) / 255,
        epsilonText,
        robust: standing / 200,
        interval: wilsonInterval(standing, 200),
        attack: place === 0 ? 'none' : 'apgd-ce',
        examples: 200,
      };
    }),
    gallery: [example([theModel], picture(3, 32, 32), picture(3, 32, 32, 8 / 255))],
    generated: '2026-03-01T10:15:30.000Z',
    machine: 'A processor, 2 processors',
  };
}
