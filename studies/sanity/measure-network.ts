import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isEvaluationFolder } from '../../src/evaluation/folder/manifest.js';
import { makeFolder } from '../../src/files/make-folder.js';
import { parseJson } from '../../src/files/parse-json.js';
import type { Recipe } from '../../src/recipe/recipe.js';
import { validate } from '../../src/user-input/validate.js';
import { runChild } from '../run-child.js';
import type { NetworkChecks } from './checks.js';
import { lossSurface } from './loss-surface.js';

/** A trained network, and what of it is measured. */
export interface MeasureOptions {
  /** Its folder, with the run in `run`; what is measured goes to `sanity` in it. */
  readonly path: string;
  readonly recipe: Recipe;
  /** The networks whose adversarial images it is shown. */
  readonly others: readonly { readonly label: string; readonly path: string }[];
  readonly plan: SanityPlan;
  readonly examples: number;
  /** `--device` and `--threads`, as the command line takes them. */
  readonly place: readonly string[];
  readonly device: string;
  readonly signal: AbortSignal;
}

/** How much is measured. */
export interface SanityPlan {
  /** Numbers of steps of the paper's PGD. */
  readonly steps: readonly number[];
  /** Multiples of ε. */
  readonly multiples: readonly number[];
  /** Attacks with a gradient, and then one without. */
  readonly boxes: readonly string[];
  /** Coordinates of the loss surface in ε, an odd number of them around 0. */
  readonly surface: readonly number[];
}

const result = z.object({
  clean: z.number(),
  robust: z.number(),
  examples: z.number(),
  seconds: z.number(),
  attacks: z.array(
    z.object({
      name: z.string(),
      attacked: z.number(),
      broken: z.number(),
      alone: z.object({ broken: z.number() }).optional(),
    }),
  ),
});
const verification = z.object({ ofRight: z.object({ images: z.number(), fooled: z.number() }) });

/** The multiple of ε as text: `16/255` for twice 8/255, else a decimal. */
export function radiusText({ epsilon, epsilonText }: Recipe['threat'], multiple: number): string {
  const over = /^(\d+(?:\.\d+)?)\/(\d+)$/.exec(epsilonText);
  const short = (value: number) => String(Number(value.toPrecision(6)));
  return over === null ? short(epsilon * multiple) : `${short(Number(over[1]) * multiple)}/${over[2]}`;
}

/** The stored evaluation whose adversarial images are shown to other networks. */
export const shownImages = (path: string) => join(path, 'sanity', 'apgd-ce');

/** Evaluates a network at its own ε by APGD-CE and keeps the adversarial images, for it and for the others. */
export async function attackAtEpsilon(options: Omit<MeasureOptions, 'others' | 'plan'>) {
  return evaluate('apgd-ce', ['--attack', 'apgd-ce'], options);
}

/** The checks of one network; what was measured before is not measured again. */
export async function measureNetwork(options: MeasureOptions) {
  const { path, recipe, others, plan, examples } = options;
  const { threat, data } = recipe;
  const steps = await evaluate(
    'steps',
    ['--alone', ...plan.steps.flatMap((count) => ['--attack', `pgd-${count}-paper`])],
    options,
  );
  const broken = steps.attacks.map((attack) => attack.alone?.broken ?? attack.broken);
  const radii: NetworkChecks['radii'] = [{ epsilon: 0, text: '0', robust: steps.clean }];
  let seconds = steps.seconds;
  for (const multiple of plan.multiples) {
    const text = radiusText(threat, multiple);
    const measured =
      multiple === 1
        ? await attackAtEpsilon(options)
        : await evaluate(
            `epsilon-${text.replace('/', '-')}`,
            ['--attack', 'apgd-ce', '--epsilon', text],
            options,
          );
    radii.push({ epsilon: threat.epsilon * multiple, text, robust: measured.robust });
    seconds += measured.seconds;
  }
  const boxes = await evaluate(
    'square',
    plan.boxes.flatMap((name) => ['--attack', name]),
    options,
  );
  const square = boxes.attacks.at(-1)!;
  const transfer: NetworkChecks['transfer'] = [];
  for (const other of others) {
    const json = join(path, 'sanity', `from-${other.label}.json`);
    if (!existsSync(json))
      await child(
        ['verify', shownImages(other.path), '--model', join(path, 'run'), '--json', json],
        options,
        [0, 1],
      );
    transfer.push({ from: other.label, ...read(json, verification).ofRight });
  }
  const { dir } = data as { readonly dir?: string };
  const surface = await lossSurface({
    run: join(path, 'run'),
    data: { name: data.name, ...(dir !== undefined && { dir }) },
    count: Math.min(100, examples),
    epsilon: threat.epsilon,
    at: plan.surface,
    seed: 0,
    device: options.device,
  });
  return {
    activation: recipe.model.activation,
    seed: recipe.training.seed,
    examples: steps.examples,
    clean: steps.clean,
    steps: plan.steps.map((count, index) => ({
      steps: count,
      robust: steps.clean - broken[index]! / steps.examples,
    })),
    radii,
    blackBox: { withstood: square.attacked, broken: square.broken },
    transfer,
    surface: { at: [...plan.surface], loss: surface },
    seconds: seconds + boxes.seconds,
  };
}

type Place = Omit<MeasureOptions, 'others' | 'plan'>;

/** The result of an evaluation, which is resumed or read if there is one already. */
async function evaluate(kind: string, attacks: readonly string[], options: Place) {
  const { path, examples, place } = options;
  const stored = join(path, 'sanity', kind);
  const json = `${stored}.json`;
  makeFolder(join(path, 'sanity'));
  const words = isEvaluationFolder(stored)
    ? ['--resume', stored]
    : [join(path, 'run'), ...attacks, '--examples', String(examples), '--save-adversarial', stored, ...place];
  if (!existsSync(json)) await child(['evaluate', ...words, '--json', json], options);
  return read(json, result);
}

const child = (words: readonly string[], { path, signal }: Place, statuses?: readonly number[]) =>
  runChild(words, { log: join(path, 'log.txt'), signal, ...(statuses && { statuses }) });

function read<Schema extends z.ZodType>(source: string, schema: Schema): z.output<Schema> {
  return validate({ schema, input: parseJson(readFileSync(source, 'utf8')), source });
}
