import { InputError } from '../errors.js';
import type { Norm } from './norms.js';

/** An attack as tables of defaults over `descend`: what FGSM and PGD are. */
export interface GradientAttack {
  /** As people name it and as results carry it: `fgsm`, `pgd-50`, `pgd-50-10`. */
  readonly name: string;
  readonly loss: 'ce';
  readonly steps: number;
  /** Length of a step over ε. */
  readonly relativeStep: number;
  /** Begins at a random point of the ball; otherwise at the image. */
  readonly randomStart: boolean;
  /** How often it begins anew on what still stands. */
  readonly restarts: number;
  /** The activation whose derivative its gradients take in place of the network's own: `softplus(10)`. */
  readonly surrogate?: string;
}

/** An attack with the threat model it works under. */
export interface Threat {
  readonly norm: Norm;
  readonly epsilon: number;
}

/** How attacks are written, for help and messages. */
export const attackForms = 'fgsm, pgd-STEPS or pgd-STEPS-RESTARTS (pgd-50, pgd-50-10)';

/**
 * The attack that a name stands for. `pgd-k` takes k steps of 2.5 ε/k from a uniform start in ball and box (Madry et
 * al., 2018, with the step rule of their library); `pgd-k-r` does so r times; `fgsm` is one step of ε from the image
 * (Goodfellow et al., 2015).
 *
 * @throws {InputError} for an unknown name.
 */
export function parseAttack(name: string): GradientAttack {
  if (name === 'fgsm')
    return { name, loss: 'ce', steps: 1, relativeStep: 1, randomStart: false, restarts: 1 };
  const match = /^pgd-([1-9]\d{0,5})(?:-([1-9]\d{0,3}))?$/.exec(name);
  if (match === null) throw InputError.expected(attackForms, 'attack', name);
  const steps = Number(match[1]);
  return {
    name,
    loss: 'ce',
    steps,
    relativeStep: 2.5 / steps,
    randomStart: true,
    restarts: Number(match[2] ?? 1),
  };
}

/** The same attack with gradients taken through another activation's derivative; what is broken stays the network's. */
export function through(attack: GradientAttack, surrogate: string): GradientAttack {
  return { ...attack, name: `${attack.name}-through-${surrogate}`, surrogate };
}
