import { z } from 'zod';
import { plainPercent as percent } from '../../src/report/page/format.js';

const share = z.number().min(0).max(1);

/** What is measured of one network, to see that its robust accuracy is no failure of the attack. */
export const checksSchema = z.object({
  activation: z.string(),
  seed: z.number().int(),
  /** Of the run's record. */
  name: z.string(),
  commit: z.string().nullable(),
  examples: z.number().int().positive(),
  clean: share,
  /** Robust accuracy under the paper's PGD, each number of steps on all images. */
  steps: z.array(z.object({ steps: z.number().int(), robust: share })).min(2),
  /** Robust accuracy under APGD-CE at growing ε. */
  radii: z.array(z.object({ epsilon: z.number(), text: z.string(), robust: share })).min(2),
  /** Images that withstand APGD-CE and APGD-T, and how many of them Square breaks. */
  blackBox: z.object({ withstood: z.number().int(), broken: z.number().int() }),
  /** Adversarial images of APGD-CE of another network, of those whose original is classified correctly. */
  transfer: z.array(z.object({ from: z.string(), images: z.number().int(), fooled: z.number().int() })),
  /** Mean cross-entropy on a square grid: rows along a random sign direction, columns along the gradient's sign. */
  surface: z.object({
    /** Coordinates of both axes in ε, ascending. */
    at: z.array(z.number()).min(2),
    loss: z.array(z.array(z.number())),
  }),
  seconds: z.number(),
});

export type NetworkChecks = z.output<typeof checksSchema>;

/** A sign of a failing attack (Carlini et al., 2019, section 3.1), and whether a network shows it. */
export interface Finding {
  readonly question: string;
  readonly answer: string;
  readonly isSound: boolean;
}

/** What the measurements of one network say. */
export function findings({ steps, radii, blackBox, transfer, surface }: NetworkChecks): Finding[] {
  const [few, many] = [steps[0]!, steps.at(-1)!];
  const largest = radii.at(-1)!;
  const rising = radii.slice(1).every(({ robust }, index) => robust <= radii[index]!.robust);
  const middle = (surface.at.length - 1) / 2;
  const [at, along] = [surface.loss[middle]![middle]!, surface.loss[middle]!.at(-1)!];
  const across = surface.loss.at(-1)![middle]!;
  return [
    {
      question: `Do ${many.steps} steps break no fewer images than ${few.steps}?`,
      answer: `${percent(few.robust)} robust after ${few.steps}, ${percent(many.robust)} after ${many.steps}`,
      isSound: many.robust <= few.robust,
    },
    {
      question: `Does a larger ε break more, and ε = ${largest.text} nearly all?`,
      answer: `${percent(largest.robust)} robust at ε = ${largest.text}`,
      isSound: rising && largest.robust <= 0.02,
    },
    {
      question: 'Does Square, which has no gradient, break next to none of what gradients do not break?',
      answer: `${blackBox.broken} of ${blackBox.withstood}`,
      isSound: blackBox.broken <= 0.02 * blackBox.withstood,
    },
    {
      question: 'Do adversarial images of other networks fool it less often than its own, which all do?',
      answer: transfer.map(({ from, images, fooled }) => `${fooled} of ${images} of ${from}`).join(', '),
      isSound: transfer.every(({ images, fooled }) => fooled < images),
    },
    {
      question: 'Does the loss grow more along the gradient than along a random direction?',
      answer: `from ${at.toFixed(2)} to ${along.toFixed(2)} along the gradient, to ${across.toFixed(2)} across`,
      isSound: along > across,
    },
  ];
}
