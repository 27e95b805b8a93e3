import type { EvaluationLine } from '../evaluation/folder/verdict-lines.js';
import type { ExampleResult } from '../evaluation/result.js';
import { wilsonInterval } from '../evaluation/statistics.js';
import { perClass } from '../evaluation/summary.js';
import type { EvaluationDetails } from './api.js';
import { confusions } from './confusion.js';
import type { FoundExample } from './found-examples.js';
import type { OpenedEvaluation } from './opened-evaluations.js';
import { type StoredEvaluation, summariseEvaluation } from './stored-evaluation.js';

/**
 * Everything on the page of an evaluation but its pictures.
 *
 * @param others the other evaluations of the folder, for accuracy against ε.
 */
export function evaluationDetails(
  { stored, lines, found }: OpenedEvaluation,
  others: readonly StoredEvaluation[],
): EvaluationDetails {
  const { manifest, result } = stored;
  const { evaluation } = manifest;
  const { perExample = [], attacks = [], perClass: _, ...rest } = result ?? {};
  return {
    summary: summariseEvaluation(stored),
    norm: evaluation.norm,
    epsilonText: manifest.epsilonText,
    result: result === null ? null : (rest as NonNullable<EvaluationDetails['result']>),
    cleanInterval:
      result === null
        ? null
        : wilsonInterval(perExample.filter(({ clean }) => clean).length, perExample.length),
    attacks,
    perClass: perClass(perExample, evaluation.classes),
    progress: progressOf(lines),
    confusion: confusions(perClass(perExample, evaluation.classes), perExample),
    outcomes: outcomesOf(perExample),
    curve: curveOf(stored, others),
    warnings: manifest.warnings,
    classes: evaluation.classes,
    command: manifest.command.join(' '),
    found: facets(found),
  };
}

/** What has been decided so far, attack by attack. */
function progressOf(lines: readonly EvaluationLine[]): EvaluationDetails['progress'] {
  const attacks = new Map<string, { broken: number; stood: number }>();
  let right = 0;
  let wrong = 0;
  for (const line of lines) {
    if (line.type === 'clean') {
      if (line.right) right += 1;
      else wrong += 1;
    } else if (line.type !== 'cost') {
      const counts = attacks.get(line.attack) ?? { broken: 0, stood: 0 };
      counts[line.type] += 1;
      attacks.set(line.attack, counts);
    }
  }
  return { right, wrong, attacks: [...attacks].map(([name, counts]) => ({ name, ...counts })) };
}

function outcomesOf(examples: readonly ExampleResult[]): EvaluationDetails['outcomes'] {
  if (examples.length === 0) return [];
  const wrong = 'misclassified without attack';
  const counts = new Map<string, number>([['withstands every attack', 0]]);
  for (const { clean, brokenBy, blind } of examples) {
    const stood = blind === true ? 'no attack could work' : 'withstands every attack';
    const name = !clean ? wrong : brokenBy === null ? stood : `broken by ${brokenBy}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const rows = [...counts].map(([name, count]) => ({ name, count }));
  return [...rows.filter(({ name }) => name !== wrong), ...rows.filter(({ name }) => name === wrong)];
}

/** Finished evaluations that differ from this one in ε alone, in ascending order. */
function curveOf(stored: StoredEvaluation, others: readonly StoredEvaluation[]): EvaluationDetails['curve'] {
  const { evaluation: own } = stored.manifest;
  const key = ({ manifest: { evaluation: e } }: StoredEvaluation) =>
    JSON.stringify([e.modelDigest, e.pixelsDigest, e.norm, e.attacks, e.surrogates, e.seed]);
  const same = others.filter((other) => key(other) === key(stored));
  const distinct = new Map(
    [...same.filter(({ manifest }) => manifest.evaluation.epsilon !== own.epsilon), stored].map((each) => [
      each.manifest.evaluation.epsilon,
      each,
    ]),
  );
  const points = [...distinct.values()].flatMap(({ id, result }) =>
    result === null
      ? []
      : [
          {
            id,
            epsilon: result.epsilon,
            epsilonText: result.epsilonText,
            robust: result.robust,
            interval: result.interval,
          },
        ],
  );
  return points.sort((a, b) => a.epsilon - b.epsilon);
}

/** How many adversarial images there are of each class and by each attack. */
function facets(found: readonly FoundExample[]): EvaluationDetails['found'] {
  const byClass = new Map<number, number>();
  const byAttack = new Map<string, number>();
  for (const { label, attack } of found) {
    byClass.set(label, (byClass.get(label) ?? 0) + 1);
    byAttack.set(attack, (byAttack.get(attack) ?? 0) + 1);
  }
  return { total: found.length, byClass: [...byClass].sort(([a], [b]) => a - b), byAttack: [...byAttack] };
}
