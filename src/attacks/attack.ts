import { InputError } from '../errors.js';
import type { AttackLossName } from './losses.js';
import { lossFor, targetsFor } from './losses.js';
import type { Norm, NormName } from './norms.js';

interface Settings {
  /** As people name it and as results carry it: `fgsm`, `pgd-50-10`, `apgd-t`. */
  readonly name: string;
  /** Steps of each start; queries, for Square. */
  readonly steps: number;
  /** How often it begins anew on what still stands. */
  readonly restarts: number;
  /** The activation whose derivative its gradients take in place of the network's own: `softplus(10)`. */
  readonly surrogate?: string;
}

/** Steps of one length along a gradient, `pgd`: what FGSM and PGD are. */
export interface GradientAttack extends Settings {
  readonly kind: 'pgd';
  readonly loss: 'ce' | 'margin';
  /** Length of a step over ε. */
  readonly relativeStep: number;
  /** Length of a step whatever ε is, in place of `relativeStep`. */
  readonly absoluteStep?: number;
  /** Begins at a random point of the ball; otherwise at the image. */
  readonly randomStart: boolean;
  /** Only the last iterate counts. @default false: any iterate does */
  readonly lastOnly?: boolean;
}

export interface ApgdAttack extends Settings {
  readonly kind: 'apgd';
  readonly loss: 'ce' | 'dlr' | 'targeted-dlr';
  /** How many of the most likely other classes are aimed at, one after the other; 0 for none. */
  readonly targets: number;
  /** Passes whose gradients are averaged in each step, for networks that answer at random. @default 1 */
  readonly eot?: number;
}

export interface FabAttack extends Settings {
  readonly kind: 'fab';
  /** How many of the most likely other classes are aimed at, one after the other; 0 for the nearest at each step. */
  readonly targets: number;
}

export interface SquareAttack extends Settings {
  readonly kind: 'square';
}

/** An attack as a table of settings; `run-attack.ts` runs it. */
export type Attack = GradientAttack | ApgdAttack | FabAttack | SquareAttack;

/** An attack with the threat model it works under. */
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

/** The paper's own: steps of 1/255, of which the last iterate counts. */
const paper: GradientAttack = {
  kind: 'pgd',
  name: 'pgd-200-paper',
  loss: 'ce',
  steps: 200,
  relativeStep: 0,
  absoluteStep: 1 / 255,
  randomStart: true,
  lastOnly: true,
  restarts: 1,
};

/** AutoAttack's attacks with its settings (Croce and Hein, 2020); its sets of them are in `autoattack.ts`. */
const autoAttack: Readonly<Record<string, ApgdAttack | FabAttack | SquareAttack>> = {
  'apgd-ce': { kind: 'apgd', name: 'apgd-ce', loss: 'ce', steps: 100, restarts: 1, targets: 0 },
  'apgd-dlr': { kind: 'apgd', name: 'apgd-dlr', loss: 'dlr', steps: 100, restarts: 1, targets: 0 },
  'apgd-t': { kind: 'apgd', name: 'apgd-t', loss: 'targeted-dlr', steps: 100, restarts: 1, targets: 9 },
  fab: { kind: 'fab', name: 'fab', steps: 100, restarts: 1, targets: 0 },
  'fab-t': { kind: 'fab', name: 'fab-t', steps: 100, restarts: 1, targets: 9 },
  square: { kind: 'square', name: 'square', steps: 5000, restarts: 1 },
};

/** How attacks are written, for help and messages. */
export const attackForms =
  'fgsm, pgd-STEPS or pgd-STEPS-RESTARTS (pgd-50, pgd-50-10), the same with pgd-cw, pgd-200-paper, ' +
  'apgd-ce, apgd-dlr, apgd-t, fab, fab-t or square, these with -RESTARTS too (apgd-ce-5), ' +
  'those of apgd with -eotPASSES as well (apgd-ce-eot20)';

/**
 * The attack that a name stands for. `pgd-k` takes k steps of 2.5 ε/k from a uniform start in ball and box (Madry et
 * al., 2018, with the step rule of their library), `pgd-cw-k` does so on the margin of Carlini and Wagner (2017);
 * `pgd-k-r` does it r times; `fgsm` is one step of ε from the image (Goodfellow et al., 2015). The others are
 * AutoAttack's; `-eotN` averages the gradient of APGD over N passes.
 *
 * @throws {InputError} for an unknown name.
 */
export function parseAttack(name: string): Attack {
  if (name === paper.name) return paper;
  const [, own, restarts, eot] = /^([a-z-]+?)(?:-([1-9]\d{0,3}))?(?:-eot([1-9]\d{0,3}))?$/.exec(name) ?? [];
  const known = own !== undefined && Object.hasOwn(autoAttack, own) ? autoAttack[own] : undefined;
  if (known === undefined || (eot !== undefined && known.kind !== 'apgd')) return parseGradientAttack(name);
  return {
    ...known,
    name,
    restarts: Number(restarts ?? known.restarts),
    ...(eot !== undefined && { eot: Number(eot) }),
  };
}

/**
 * The same of attacks that take steps of one length: `fgsm`, `pgd-...`.
 *
 * @throws {InputError} for another name.
 */
export function parseGradientAttack(name: string): GradientAttack {
  if (name === fgsm.name) return fgsm;
  const match = /^pgd-(cw-)?([1-9]\d{0,5})(?:-([1-9]\d{0,3}))?$/.exec(name);
  if (match === null) throw InputError.expected(attackForms, 'attack', name);
  const steps = Number(match[2]);
  return {
    kind: 'pgd',
    name,
    loss: match[1] === undefined ? 'ce' : 'margin',
    steps,
    relativeStep: 2.5 / steps,
    randomStart: true,
    restarts: Number(match[3] ?? 1),
  };
}

/** The same attack with gradients taken through another activation's derivative; what is broken stays the network's. */
export function withSurrogate<Each extends Attack>(attack: Each, surrogate: string): Each {
  return { ...attack, name: `${attack.name}-through-${surrogate}`, surrogate };
}

/** How long an attack's steps are; null where it chooses by itself. */
export function stepSizeOf(attack: GradientAttack, epsilon: number): number;
export function stepSizeOf(attack: Attack, epsilon: number): number | null;
export function stepSizeOf(attack: Attack, epsilon: number): number | null {
  if (attack.kind !== 'pgd') return null;
  return attack.absoluteStep ?? attack.relativeStep * epsilon;
}

/** What an attack climbs and how many classes it aims at, for a network of so many classes, as results say it. */
export function lossAndTargets(
  attack: Attack,
  classes: number,
): { readonly loss: AttackLossName | 'distance'; readonly targets: number } {
  const targets = 'targets' in attack && attack.targets > 0 ? targetsFor(attack.targets, classes) : 0;
  if (attack.kind === 'fab') return { loss: 'distance', targets };
  return { loss: attack.kind === 'square' ? 'margin' : lossFor(attack.loss, classes), targets };
}

/** @throws {InputError} where an attack has no meaning in a norm. */
export function requireNorm(attack: Attack, norm: NormName): void {
  if (attack.kind === 'pgd' && attack.absoluteStep !== undefined && norm !== 'linf')
    throw InputError.expected(
      'linf',
      `the norm of ${attack.name}`,
      norm,
      'Its steps of 1/255 are those of a pixel.',
    );
}
