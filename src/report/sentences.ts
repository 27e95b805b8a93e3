/** Sentences that summarise the results. */

import type { ReportInput, ReportNetwork, ThreatModel } from './input.js';
import { count, epsilon, list, percent, pValue } from './page/format.js';

/** `every pixel may change by up to 0.1` */
export function threatInWords({ norm, epsilonText }: ThreatModel): string {
  return norm === 'linf'
    ? `every pixel may change by up to ${epsilonText}`
    : `the image may move by up to ${epsilonText} in L2 distance`;
}

/** `L∞, ε = 0.1` */
export function threatInSymbols({ norm, epsilonText }: ThreatModel): string {
  return `${norm === 'linf' ? 'L∞' : 'L2'}, ${epsilon(epsilonText)}`;
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

/** The exact McNemar test in words; undefined without a comparison. */
export function comparisonInWords({ comparison, networks }: ReportInput): string | undefined {
  const [first, other] = networks;
  if (comparison === undefined || first === undefined || other === undefined) return undefined;
  const { onlyFirstRight, onlyOtherRight, pValue: p } = comparison;
  const size =
    p < 0.05 ? 'a larger difference than chance explains' : 'no larger a difference than chance explains';
  return (
    `${count(onlyFirstRight)} images are robust only for ${first.name} and ${count(onlyOtherRight)} only for ` +
    `${other.name}: ${size} (exact McNemar test, p\u00a0${pValue(p)}). This applies to these two trained networks; ` +
    'other seeds may give other results.'
  );
}
