/** Sentences that summarise the results. */

import { normSymbols } from '../user-input/norm-name.js';
import type { ReportInput, ReportNetwork, ThreatModel } from './input.js';
import { count, epsilon, list, percent, pValue } from './page/format.js';

/** `every pixel may change by up to 0.1` */
export function threatInWords({ norm, epsilonText }: ThreatModel): string {
  return norm === 'linf'
    ? `every pixel may change by up to ${epsilonText}`
    : `the image may move by up to ${epsilonText} in ${normSymbols[norm]} distance`;
}

/** `L∞, ε = 0.1` */
export function threatInSymbols({ norm, epsilonText }: ThreatModel): string {
  return `${normSymbols[norm]}, ${epsilon(epsilonText)}`;
}

/** Names of the attacks of an evaluation: `fgsm and pgd-50`. */
export function attackNames({ evaluation }: ReportNetwork): string {
  return list([...new Set(evaluation.attacks.map(({ name }) => name))]);
}

/** Robust and clean accuracies in one sentence. */
export function verdictSentence({ networks, threat }: ReportInput): string {
  const sizes = new Set(networks.map(({ evaluation }) => evaluation.examples));
  const images = sizes.size === 1 ? `${count([...sizes][0]!)} test images` : 'its test images';
  const attackers = new Set(networks.map(attackNames));
  const attacked = attackers.size === 1 ? `Attacked with ${[...attackers][0]}` : 'Under attack';
  const robust = networks.map(({ name, evaluation }, index) =>
    index === 0
      ? `${name} still classifies ${percent(evaluation.robust)} of ${images} correctly`
      : `${name} ${percent(evaluation.robust)}`,
  );
  const clean = networks.map(({ name, evaluation }, index) =>
    index === 0 ? `${name} classifies ${percent(evaluation.clean)}` : `${name} ${percent(evaluation.clean)}`,
  );
  return `${attacked} (${threatInWords(threat)}), ${list(robust)}; without attack, ${list(clean)}.`;
}

/** The comparison of two networks in words; undefined for one network, or more than two. */
export function comparisonInWords({ comparisons, networks }: ReportInput): string | undefined {
  const [comparison] = comparisons;
  if (comparison === undefined || networks.length > 2) return undefined;
  const { first, other, onlyFirstRight, onlyOtherRight, pValue: p } = comparison;
  const size =
    p < 0.05 ? 'a larger difference than chance explains' : 'no larger a difference than chance explains';
  return (
    `${count(onlyFirstRight)} images are robust only for ${first} and ${count(onlyOtherRight)} only for ` +
    `${other}: ${size} (exact McNemar test, p\u00a0${pValue(p)}). ${oneSeed}`
  );
}

/** What no test on one seed can say. */
export const oneSeed = 'This applies to these trained networks; other seeds may give other results.';

/**
 * Where smoothness did not help: the robust smooth networks that a network with a kink beats; undefined if none, or if
 * the networks differ in more than smoothness.
 */
export function smoothLoses({ networks, isOfActivation }: ReportInput): string | undefined {
  if (!isOfActivation) return undefined;
  const kinked = networks.filter(({ isSmooth }) => !isSmooth);
  const best = kinked.reduce<ReportNetwork | undefined>(
    (before, each) =>
      before === undefined || each.evaluation.robust > before.evaluation.robust ? each : before,
    undefined,
  );
  if (best === undefined) return undefined;
  const losers = networks.filter(
    ({ isSmooth, evaluation }) => isSmooth && evaluation.robust < best.evaluation.robust,
  );
  if (losers.length === 0) return undefined;
  const behind = losers.map(
    ({ name, evaluation }) =>
      `${name} by ${((best.evaluation.robust - evaluation.robust) * 100).toFixed(1)} points`,
  );
  return `No gain from smoothness in this run: under attack, ${best.name} is ahead of ${list(behind)}.`;
}
