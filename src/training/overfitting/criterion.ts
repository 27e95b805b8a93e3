/** Accuracies of the guard's training images: as they are, and under attacks of ever more steps. Shares, 0 to 1. */
export interface Accuracies {
  readonly clean: number;
  readonly fgsm: number;
  readonly pgd5: number;
  readonly pgd10: number;
}

/** Accuracies after so many steps of the run. */
export interface Check extends Accuracies {
  readonly step: number;
}

/** What the guard remembers of a run; kept in checkpoints. */
export interface GuardState {
  readonly last: Check | null;
  /** The step of the last check that found nothing in a network that knows something, with nothing found before it. */
  readonly healthy: number | null;
  /** The step of the first check that found something. */
  readonly found: number | null;
}

export const initialGuardState: GuardState = { last: null, healthy: null, found: null };

/** PGD-5 accuracy that falls by more than this from one check to the next (Wong et al., 2020: 0.2). */
const largestFall = 0.2;
/** FGSM accuracy that is further than this above PGD-10's. */
const largestGap = 0.3;

/**
 * Whether a network overfits catastrophically: it withstands the one step that it is shown and nothing else. One that
 * knows nothing is not judged, be it that it has not learned yet or that a step too long made it forget: `clean` must be
 * above `chance`, and so must be what fell.
 *
 * @param chance the accuracy that a network can have by luck, see `luck`.
 * @returns what was seen, in words; null where all is well.
 */
export function catastrophicOverfitting(
  check: Accuracies,
  before: Check | null,
  chance: number,
): string | null {
  const { clean, fgsm, pgd5, pgd10 } = check;
  if (clean <= chance) return null;
  if (before !== null && before.pgd5 > chance && before.pgd5 - pgd5 > largestFall)
    return `accuracy under PGD-5 is ${percent(pgd5)}, and was ${percent(before.pgd5)} after step ${before.step}`;
  if (fgsm - pgd10 > largestGap)
    return `accuracy is ${percent(fgsm)} under one step (FGSM), but ${percent(pgd10)} under ten (PGD-10)`;
  return null;
}

/** The accuracy of always naming the commonest class, and two standard errors: more is no luck. */
export function chanceLevel(labels: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const share = Math.max(...counts.values()) / labels.length;
  return share + 2 * Math.sqrt((share * (1 - share)) / labels.length);
}

/** What a person is told: what was seen, what it means, what to try, and where the last good weights are. */
export function overfittingWarning(seen: string, { examples, healthy }: WarningFacts): string {
  const kept =
    healthy === null
      ? 'No check before this one was well, so no earlier weights are kept.'
      : `The weights of the last check that was well, after step ${healthy}, stay in checkpoints/healthy.json of the ` +
        'run folder: they can be evaluated, or another run started from them.';
  return (
    `Catastrophic overfitting: on ${examples} training images, ${seen}. ` +
    'It seems that the network learns to withstand the attack it is trained with, and that longer ones break it. ' +
    'Training goes on; robust accuracy may come back or be lost. Try a smaller attack.stepSize, more attack.steps, ' +
    `gradAlign, a smooth activation, or a lower or shorter learning rate schedule. ${kept}`
  );
}

export interface WarningFacts {
  /** How many images the guard attacks. */
  readonly examples: number;
  readonly healthy: number | null;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
