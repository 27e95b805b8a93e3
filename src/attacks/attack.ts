import { InputError } from '../errors.js';
import { nearest } from '../user-input/did-you-mean.js';
import type { NormName } from '../user-input/norm-name.js';
import { requireArgument } from '../user-input/require-argument.js';
import type { AttackLossName } from './losses.js';
import { lossFor, targetsFor } from './losses.js';
import type { Norm } from './norm.js';

interface Settings {
  /** The name used on input and in results: `fgsm`, `pgd-50-10`, `apgd-t`. */
  readonly name: string;
  /** Steps per restart; for Square, queries. */
  readonly steps: number;
  /** Number of restarts; each attacks only the examples that are still robust. */
  readonly restarts: number;
  /** Activation whose derivative replaces the network's own in the backward pass: `softplus(10)`. */
  readonly surrogate?: string;
}

/** FGSM and PGD: gradient steps of a fixed size, run by `pgd`. */
export interface GradientAttack extends Settings {
  readonly kind: 'pgd';
  readonly loss: 'ce' | 'margin';
  /** Step size divided by ε. */
  readonly relativeStep: number;
  /** Lower bound of the step size, independent of ε. */
  readonly minimumStep?: number;
  /** Start at a random point of the ball; otherwise at the clean image. */
  readonly randomStart: boolean;
  /** Only the last iterate counts. @default false: any iterate counts */
  readonly lastOnly?: boolean;
  /** Examples whose iterates repeat leave the batch, with the same outcome; L∞ only. @default false */
  readonly cycles?: boolean;
}

export interface ApgdAttack extends Settings {
  readonly kind: 'apgd';
  readonly loss: 'ce' | 'dlr' | 'targeted-dlr';
  /** How many of the most likely other classes are targeted, one at a time; 0 for an untargeted attack. */
  readonly targets: number;
  /** Which classes are targeted, nearest first by a linear approximation (MALT). @default the most likely ones */
  readonly targetsBy?: 'slope';
  /** Gradients averaged per step (EOT), for randomized models. @default 1 */
  readonly eot?: number;
  /** Starts in a ball of three times the radius, which shrinks to ε; L1 only. @default false */
  readonly shrinking?: boolean;
}

export interface FabAttack extends Settings {
  readonly kind: 'fab';
  /** How many of the most likely other classes are targeted, one at a time; 0 for the nearest boundary at each step. */
  readonly targets: number;
}

export interface SquareAttack extends Settings {
  readonly kind: 'square';
}

/** The settings of an attack; `runAttack` runs it. */
export type Attack = GradientAttack | ApgdAttack | FabAttack | SquareAttack;

/** The threat model: a norm and a radius. */
export interface Threat {
  readonly norm: Norm;
  readonly epsilon: number;
}

const fgsm: GradientAttack = {
  kind: 'pgd',
  name: 'fgsm',
  loss: 'ce',
  steps: 1,
  relativeStep: 1,
  randomStart: false,
  restarts: 1,
};

/**
 * The evaluation attack of the paper and of its released code: K steps of max(1/255, ε/K) from a uniform random start, of
 * which only the last iterate counts. The released code evaluates with K = 10, 20 and 50, the paper with 200.
 */
function paperAttack(steps: number): GradientAttack {
  return {
    kind: 'pgd',
    name: `pgd-${steps}-paper`,
    loss: 'ce',
    steps,
    relativeStep: 1 / steps,
    minimumStep: 1 / 255,
    randomStart: true,
    lastOnly: true,
    restarts: 1,
  };
}

/**
 * The individual attacks of AutoAttack with its settings (Croce and Hein, 2020), of which `autoattack.ts` has the sets; and MALT
 * (Melamed et al., 2024): its targets for APGD.
 */
const named: Readonly<Record<string, ApgdAttack | FabAttack | SquareAttack>> = {
  'apgd-ce': { kind: 'apgd', name: 'apgd-ce', loss: 'ce', steps: 100, restarts: 1, targets: 0 },
  'apgd-dlr': { kind: 'apgd', name: 'apgd-dlr', loss: 'dlr', steps: 100, restarts: 1, targets: 0 },
  'apgd-t': { kind: 'apgd', name: 'apgd-t', loss: 'targeted-dlr', steps: 100, restarts: 1, targets: 9 },
  'apgd-ce-large': {
    kind: 'apgd',
    name: 'apgd-ce-large',
    loss: 'ce',
    steps: 100,
    restarts: 1,
    targets: 0,
    shrinking: true,
  },
  'apgd-t-large': {
    kind: 'apgd',
    name: 'apgd-t-large',
    loss: 'targeted-dlr',
    steps: 100,
    restarts: 1,
    targets: 5,
    shrinking: true,
  },
  malt: {
    kind: 'apgd',
    name: 'malt',
    loss: 'targeted-dlr',
    steps: 100,
    restarts: 1,
    targets: 9,
    targetsBy: 'slope',
  },
  fab: { kind: 'fab', name: 'fab', steps: 100, restarts: 1, targets: 0 },
  'fab-t': { kind: 'fab', name: 'fab-t', steps: 100, restarts: 1, targets: 9 },
  square: { kind: 'square', name: 'square', steps: 5000, restarts: 1 },
};

/** The syntax of attack names, for help texts and messages. */
export const attackForms =
  'fgsm, pgd-STEPS or pgd-STEPS-RESTARTS (pgd-50, pgd-50-10), the same with pgd-cw, ' +
  'the same with -stepSHARE for another step, a share of ε (pgd-200-step0.25), pgd-STEPS-paper (pgd-200-paper), ' +
  'these with -cycles, where images leave once their iterates repeat (pgd-200-step0.25-cycles), ' +
  'apgd-ce, apgd-dlr, apgd-t, fab, fab-t or square, in L1 also apgd-ce-large and apgd-t-large, ' +
  'malt (apgd-t on other targets, in no set of AutoAttack), ' +
  'these with -RESTARTS too (apgd-ce-5), ' +
  'those of apgd and malt with -eotPASSES as well (apgd-ce-eot20)';

/**
 * Parses an attack name. `pgd-k` takes k steps of 2.5 ε/k from a uniform random start in ball and box (Madry et al.,
 * 2018, with the step size of their library), `pgd-cw-k` maximises the margin of Carlini and Wagner (2017) instead of
 * the cross-entropy; `pgd-k-r` uses r restarts, `pgd-k-step0.25` steps of ε/4; `-cycles` leaves an image whose iterates
 * repeat (Doldo et al., 2025); `pgd-k-paper` is the evaluation of the paper (Xie et al., 2020); `fgsm` is
 * one step of ε from the image (Goodfellow et al., 2015). `malt` is APGD on targets by slope. The others are
 * AutoAttack's; `-large` starts APGD in a larger ball; `-eotN` averages the gradient of APGD over N passes.
 *
 * @throws {InputError} for an unknown name.
 */
export function parseAttack(name: string): Attack {
  requireArgument(name, 'text', 'the attack');
  const paper = /^pgd-([1-9]\d{0,5})-paper(-cycles)?$/.exec(name);
  if (paper !== null)
    return { ...paperAttack(Number(paper[1])), name, ...(paper[2] !== undefined && { cycles: true }) };
  const [, base, restarts, eot] = /^([a-z-]+?)(?:-([1-9]\d{0,3}))?(?:-eot([1-9]\d{0,3}))?$/.exec(name) ?? [];
  const known = base !== undefined && Object.hasOwn(named, base) ? named[base] : undefined;
  if (known === undefined || (eot !== undefined && known.kind !== 'apgd')) return parseGradientAttack(name);
  return {
    ...known,
    name,
    restarts: Number(restarts ?? known.restarts),
    ...(eot !== undefined && { eot: Number(eot) }),
  };
}

/**
 * Parses the name of an attack with a fixed step size: `fgsm`, `pgd-...`.
 *
 * @throws {InputError} for any other name.
 */
export function parseGradientAttack(name: string): GradientAttack {
  if (name === fgsm.name) return fgsm;
  const match = gradientName.exec(name);
  if (match === null) throw unknownAttack(name);
  const { margin, steps: written, restarts, share, cycles } = match.groups ?? {};
  const steps = Number(written);
  return {
    kind: 'pgd',
    name,
    loss: margin === undefined ? 'ce' : 'margin',
    steps,
    relativeStep: share === undefined ? 2.5 / steps : Number(share),
    randomStart: true,
    restarts: Number(restarts ?? 1),
    ...(cycles !== undefined && { cycles: true }),
  };
}

/** `pgd-STEPS` with its loss, restarts, step as a share of ε (below 3, at most four decimals, one spelling each), cycles. */
const gradientName =
  /^pgd-(?<margin>cw-)?(?<steps>[1-9]\d{0,5})(?:-(?<restarts>[1-9]\d{0,3}))?(?:-step(?<share>0\.\d{0,3}[1-9]|[12](?:\.\d{0,3}[1-9])?))?(?<cycles>-cycles)?$/;

/** The nearest attack, with the numbers of the name received; all forms if none is near. */
function unknownAttack(name: string): InputError {
  const [steps = '50'] = /\d+/.exec(name) ?? [];
  const meant = nearest(name, [
    fgsm.name,
    ...[`pgd-${steps}`, `pgd-cw-${steps}`, `pgd-${steps}-paper`, `pgd-${steps}-cycles`],
    ...Object.keys(named),
  ]);
  return meant === undefined
    ? InputError.expected(attackForms, 'attack', name)
    : InputError.expected('an attack', 'attack', name, `Did you mean '${meant}'?`);
}

/** The same attack with a surrogate derivative; misclassification is still checked on the original model. */
export function withSurrogate<Each extends Attack>(attack: Each, surrogate: string): Each {
  return { ...attack, name: `${attack.name}-through-${surrogate}`, surrogate };
}

/** Step size of an attack; null where it is adaptive. */
export function stepSizeOf(attack: GradientAttack, epsilon: number): number;
export function stepSizeOf(attack: Attack, epsilon: number): number | null;
export function stepSizeOf(attack: Attack, epsilon: number): number | null {
  if (attack.kind !== 'pgd') return null;
  return Math.max(attack.relativeStep * epsilon, attack.minimumStep ?? 0);
}

/** The loss and the number of targets an attack uses with this many classes, as recorded in results. */
export function lossAndTargets(
  attack: Attack,
  classes: number,
): { readonly loss: AttackLossName | 'distance'; readonly targets: number } {
  const targets = 'targets' in attack && attack.targets > 0 ? targetsFor(attack.targets, classes) : 0;
  if (attack.kind === 'fab') return { loss: 'distance', targets };
  return { loss: attack.kind === 'square' ? 'margin' : lossFor(attack.loss, classes), targets };
}

/** @throws {InputError} for an attack that is not defined in the norm. */
export function requireNorm(attack: Attack, norm: NormName): void {
  if (attack.kind === 'pgd' && attack.minimumStep !== undefined && norm !== 'linf')
    throw InputError.expected(
      'linf',
      `the norm of ${attack.name}`,
      norm,
      'Its step size of at least 1/255 is measured per pixel.',
    );
  if (attack.kind === 'pgd' && attack.cycles === true && norm !== 'linf')
    throw InputError.expected(
      'linf',
      `the norm of ${attack.name}`,
      norm,
      "Only steps along signs come back to a point that they had left; leave out '-cycles'.",
    );
  if (attack.kind === 'apgd' && attack.shrinking === true && norm !== 'l1')
    throw InputError.expected(
      'l1',
      `the norm of ${attack.name}`,
      norm,
      "AutoAttack starts in a larger ball in L1 alone; leave out '-large'.",
    );
}
