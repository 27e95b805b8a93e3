import { parseDerivative } from '../../activations/parse.js';
import { norms } from '../../attacks/norms.js';
import { type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import { publishedDropRates } from '../../models/architectures/names.js';
import type { DropRates } from '../../nn/dropout.js';
import type { Recipe } from '../../recipe/recipe.js';
import { adversarial } from '../../training/objectives/adversarial.js';
import { free } from '../../training/objectives/free.js';
import { mart } from '../../training/objectives/mart.js';
import {
  adversarialCrossEntropy,
  clean,
  type Objective,
  trainingPass,
} from '../../training/objectives/objective.js';
import { trades } from '../../training/objectives/trades.js';
import type { Start, TrainingAttack } from '../../training/objectives/training-attack.js';
import type { UpdatePass } from '../../training/objectives/update-pass.js';

type Training = Recipe['training'];
/** Objectives whose images an attack makes before the loss is taken. */
type Attacked = Exclude<Training, { objective: 'clean' | 'free' }>;

/** The objective that a recipe names, with its settings: docs/training.md tells what each one is. */
export function buildObjective(
  { model, training, threat }: Recipe,
  ranks: ProcessGroup = singleProcess,
): Objective {
  const drop = dropRatesOf(model);
  const pass = {
    ...trainingPass,
    ...(synchronises(training, ranks) && { synchronised: true }),
    ...(training.precision === 'bfloat16' && { products: training.precision }),
    ...(drop !== null && { drop }),
  };
  if (training.objective === 'clean') return clean({ labelSmoothing: training.labelSmoothing, pass, ranks });
  if (training.objective === 'free') {
    const { labelSmoothing, attack } = training;
    const { replays, epsilonWarmup } = attack;
    const { epsilon } = threat;
    const stepSize = attack.stepSize ?? epsilon;
    const norm = norms[threat.norm];
    return free({ norm, epsilon, stepSize, replays, labelSmoothing, pass, epsilonWarmup, ranks });
  }
  return adversarial({
    attack: trainingAttackOf(training, threat),
    loss: lossOf(training),
    pass: updatePass(pass, training.derivatives.update),
    ...(training.awp !== null && { awp: training.awp }),
    ...('gradAlign' in training && training.gradAlign !== null && { gradAlign: training.gradAlign }),
    ranks,
  });
}

/** What updates leave out: what the recipe says, else what was published; null where that is nothing. */
function dropRatesOf({ name, dropout, stochasticDepth }: Recipe['model']): DropRates | null {
  const published = publishedDropRates(name);
  return (
    published && {
      dropout: dropout ?? published.dropout,
      stochasticDepth: stochasticDepth ?? published.stochasticDepth,
    }
  );
}

/** Whether batch norm takes its statistics from all ranks, which costs two exchanges a layer. */
function synchronises({ batchNorm }: Training, { size }: ProcessGroup): boolean {
  return size > 1 && batchNorm === 'synchronised';
}

/** The attack of a recipe's training, with the defaults of its objective filled in. */
export function trainingAttackOf(training: Attacked, threat: Recipe['threat']): TrainingAttack {
  const { epsilon } = threat;
  const { batchNorm, epsilonWarmup, stepWarmup, stepSize } = training.attack;
  const { steps, usualStep, start, loss = 'ce' } = plan(training, epsilon);
  // As the paper's released code: however short the step is set, all of them together reach ε.
  const least = training.objective === 'sat' ? epsilon / steps : 0;
  return {
    norm: norms[threat.norm],
    epsilon,
    steps,
    stepSize: Math.max(stepSize ?? usualStep, least),
    start,
    batchNorm,
    epsilonWarmup,
    stepWarmup,
    loss,
    ...(training.derivatives.attack !== null && {
      derivative: parseDerivative(training.derivatives.attack),
    }),
  };
}

interface Plan {
  readonly steps: number;
  readonly usualStep: number;
  readonly start: Start;
  readonly loss?: 'ce' | 'kl';
}

function plan(training: Attacked, epsilon: number): Plan {
  switch (training.objective) {
    case 'pgd': {
      const { steps, randomStart } = training.attack;
      // One step is as long as Fast adversarial training takes it (Wong et al., 2020); more steps share 2.5 ε.
      const usualStep = steps === 1 ? 1.25 * epsilon : (2.5 * epsilon) / steps;
      return { steps, usualStep, start: { kind: randomStart ? 'uniform' : 'image' } };
    }
    case 'fast':
      return { steps: 1, usualStep: 1.25 * epsilon, start: { kind: 'uniform' } };
    case 'sat': {
      const { steps, cleanStart, clipStart } = training.attack;
      return {
        steps,
        usualStep: epsilon / steps,
        start: { kind: 'sat', clean: cleanStart, clip: clipStart },
      };
    }
    case 'trades':
      return { ...besideTheImage(training.attack.steps, epsilon), loss: 'kl' };
    case 'mart':
      return besideTheImage(training.attack.steps, epsilon);
  }
}

/** Steps of 0.007 at ε = 0.031, and a start beside the image (Zhang et al., 2019); MART takes both over. */
function besideTheImage(steps: number, epsilon: number): Plan {
  return { steps, usualStep: (7 / 31) * epsilon, start: { kind: 'normal', deviation: 0.001 } };
}

function lossOf(training: Attacked) {
  switch (training.objective) {
    case 'trades':
      return trades({ beta: training.beta, labelSmoothing: training.labelSmoothing });
    case 'mart':
      return mart({ beta: training.beta });
    default:
      return adversarialCrossEntropy(training.labelSmoothing);
  }
}

function updatePass(pass: UpdatePass, derivative: string | null): UpdatePass {
  return derivative === null ? pass : { ...pass, derivative: parseDerivative(derivative) };
}
