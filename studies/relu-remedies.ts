import type { Recipe } from '../src/recipe/recipe.js';
import { type Arm, type Study, withActivation, withTraining } from './study.js';

/** PGD of that many steps; a step is ε / steps, but at least ε / 4: the paper's rule at its ε of 4/255 and steps of 1/255. */
const steps = (count: number) => (base: Recipe) =>
  withTraining((training) => {
    const { epsilon } = base.threat;
    const stepSize = Math.max(epsilon / count, epsilon / 4);
    return { ...training, attack: { ...('attack' in training && training.attack), steps: count, stepSize } };
  })(base);

/** A schedule stretched to that many times the epochs. */
const longer = (times: number) => (base: Recipe) =>
  withTraining((training) => {
    const { schedule, epochs } = training;
    const stretched = {
      ...schedule,
      warmup: schedule.warmup * times,
      ...('milestones' in schedule && { milestones: schedule.milestones.map((epoch) => epoch * times) }),
    };
    return { ...training, epochs: epochs * times, schedule: stretched };
  })(base);

const on = (activation: string, change: (base: Recipe) => object) => (base: Recipe) =>
  change(withActivation(activation)(base) as Recipe);

const stronger = [1, 2, 3, 7].flatMap((count): Arm[] => [
  { name: `relu-pgd-${count}`, change: on('relu', steps(count)), against: null },
  { name: `silu-pgd-${count}`, change: on('silu', steps(count)), against: `relu-pgd-${count}` },
]);

export const reluRemedies: Study = {
  name: 'relu-remedies',
  question: 'Can ReLU catch up by a stronger attack in training, or by longer training?',
  source: 'Its question whether ReLU can be fixed otherwise; its figures were not read',
  reading:
    'SiLU is compared with ReLU under the same attack, and ReLU trained longer with SiLU of the usual length. A difference ' +
    'that shrinks to nothing as the attack or the training grows means that ReLU catches up.',
  arms: [
    ...stronger,
    { name: 'silu', change: withActivation('silu'), against: null },
    { name: 'relu', change: withActivation('relu'), against: 'silu' },
    { name: 'relu-2x', change: on('relu', longer(2)), against: 'silu' },
    { name: 'relu-4x', change: on('relu', longer(4)), against: 'silu' },
  ],
};
