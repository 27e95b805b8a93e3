/** Accuracies on the guard's training images: clean, and under attacks with increasing numbers of steps; 0 to 1. */
export interface Accuracies {
  readonly clean: number;
  readonly fgsm: number;
  readonly pgd5: number;
  readonly pgd10: number;
}

/** Accuracies after `step` steps of the run. */
export interface Check extends Accuracies {
  readonly step: number;
}

/** The state of the guard; stored in checkpoints. */
export interface GuardState {
  readonly last: Check | null;
  /** Step of the last check above chance level without a finding so far. */
  readonly healthy: number | null;
  /** Step of the first check with a finding. */
  readonly found: number | null;
}

export const initialGuardState: GuardState = { last: null, healthy: null, found: null };

/** Largest drop of the PGD-5 accuracy between two checks that is not a finding (Wong et al., 2020: 0.2). */
const maxDrop = 0.2;
/** Largest gap between FGSM and PGD-10 accuracy that is not a finding. */
const maxGap = 0.3;

/**
 * Detects catastrophic overfitting: the network is robust to the single-step attack it is trained with but not to
 * stronger attacks. A network at chance level is not tested, whether it has not learned anything yet or diverged:
 * `clean` must be above `chance`, and so must be the accuracy that dropped.
 *
 * @param chance the accuracy attainable by chance, see `chanceLevel`.
 * @returns a description of the finding; null if there is none.
 */
export function catastrophicOverfitting(
  check: Accuracies,
  before: Check | null,
  chance: number,
): string | null {
  const { clean, fgsm, pgd5, pgd10 } = check;
  if (clean <= chance) return null;
  if (before !== null && before.pgd5 > chance && before.pgd5 - pgd5 > maxDrop)
    return `accuracy under PGD-5 is ${percent(pgd5)}, and was ${percent(before.pgd5)} after step ${before.step}`;
  if (fgsm - pgd10 > maxGap)
    return `accuracy is ${percent(fgsm)} under one step (FGSM), but ${percent(pgd10)} under ten (PGD-10)`;
  return null;
}

/** The accuracy of predicting the most frequent class, plus two standard errors. */
export function chanceLevel(labels: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const share = Math.max(...counts.values()) / labels.length;
  return share + 2 * Math.sqrt((share * (1 - share)) / labels.length);
}

/** The warning: the finding, its meaning, remedies, and the last healthy weights. */
export function overfittingWarning(finding: string, { examples, healthy }: WarningFacts): string {
  const weights =
    healthy === null
      ? 'No earlier check was healthy, so no earlier weights are kept.'
      : `The weights of the last healthy check, after step ${healthy}, are kept in checkpoints/healthy.json of the run ` +
        'folder: evaluate them, or start another run from them.';
  return (
    `Catastrophic overfitting: on ${examples} training images, ${finding}. ` +
    'The network appears to become robust to the attack it is trained with only, and longer attacks break it. ' +
    'Training continues; robust accuracy may recover or be lost. Try a smaller attack.stepSize, more attack.steps, ' +
    `gradAlign, a smooth activation, or a lower or shorter learning rate schedule. ${weights}`
  );
}

export interface WarningFacts {
  /** Number of images the guard attacks. */
  readonly examples: number;
  readonly healthy: number | null;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
