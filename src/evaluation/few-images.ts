import type { EvaluationResult } from './result.js';
import { wilsonInterval } from './statistics.js';

/** With fewer images a single one moves an accuracy by more than a percent. */
const enough = 100;

/** A sentence on what an accuracy of so few images is worth; null if there are enough. */
export function fewImages({
  examples,
  perClass,
}: Pick<EvaluationResult, 'examples' | 'perClass'>): string | null {
  if (examples >= enough || examples === 0) return null;
  const sizes = perClass.map((each) => each.examples);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const ofClass =
    sizes.length === 0 ? '' : least === most ? `, ${most} of a class` : `, ${least} to ${most} of a class`;
  const share = (value: number) => `${(value * 100).toFixed(0)} %`;
  return (
    `Only ${examples} ${examples === 1 ? 'image' : 'images'}${ofClass}: one of them makes ${share(1 / examples)} of an accuracy, ` +
    `and 100 % of so few leaves anything from ${share(wilsonInterval(examples, examples)[0])} upwards possible. Measure more images.`
  );
}
