import { parseActivation } from '../../activations/parse.js';
import { InputError } from '../../errors.js';
import type { EvaluationResult } from '../../evaluation/result.js';
import { holm, mcnemar, wilsonInterval } from '../../evaluation/statistics.js';
import { parseRecipe } from '../../recipe/recipe.js';
import type { Comparison, CurvePoint, EpochPoint, ReportNetwork } from '../../report/input.js';
import { readEvents } from '../../runs/event-log.js';
import type { RunEvent } from '../../runs/events.js';
import { readStoredRecipe } from '../../runs/run-folder.js';
import { stoppedEarly } from '../../runs/stopped-early.js';
import { placesOf } from './run-differences.js';

/** Builds the parts of a report from run folders and measurements. Nothing is measured here. */
export interface NetworkReportOptions {
  /** The run folder. */
  readonly run: string;
  /** @default the title of the activation: `SiLU` */
  readonly name?: string;
  readonly evaluation: EvaluationResult;
  /** From `epsilonCurve`; may be empty. */
  readonly curve: readonly CurvePoint[];
}

/**
 * The part of a report about one network: recipe and learning curves from the run folder, with the measurements.
 *
 * @throws {InputError} if the folder is not a run, or its training never started.
 */
export function networkReport({ run, name, evaluation, curve }: NetworkReportOptions): ReportNetwork {
  const recipe = parseRecipe(readStoredRecipe(run), `the run ${run}`);
  const events = readEvents(run);
  const began = events.find((event) => event.type === 'start');
  if (began === undefined) throw InputError.expected('a run whose training has started', 'the run', run);
  const end = events.at(-1);
  const early = end?.type === 'end' ? stoppedEarly(end) : null;
  const activation = parseActivation(recipe.model.activation);
  return {
    name: name ?? activation.title,
    activation: recipe.model.activation,
    isSmooth: activation.smoothness !== 'C⁰',
    formula: activation.formula,
    parameters: began.parameters,
    recipe,
    trainedOn: placesOf(events),
    trainingSeconds: epochsOf(events).reduce((sum, { seconds }) => sum + seconds, 0),
    ...(early !== null && { stoppedEarly: early }),
    epochs: epochsOf(events).flatMap(epochPoint),
    warnings: [...new Set([...warningsOf(events), ...evaluation.warnings])],
    evaluation,
    cleanInterval: wilsonInterval(
      evaluation.perExample.filter(({ clean }) => clean).length,
      evaluation.examples,
    ),
    curve,
  };
}

function warningsOf(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
}

function epochsOf(events: readonly RunEvent[]) {
  return events.filter((event) => event.type === 'epoch');
}

/** The last measurement selects the epoch to keep. An epoch without validation gives no point. */
function epochPoint({ epoch, seconds, measurements }: RunEvent & { readonly type: 'epoch' }): EpochPoint[] {
  const robust = Object.keys(measurements).find((name) => name.startsWith('validation/robust/')) ?? '';
  const [loss, trainAccuracy] = [measurements['train/loss'], measurements['train/accuracy']];
  const [validationClean, validationRobust] = [measurements['validation/clean'], measurements[robust]];
  if (
    loss === undefined ||
    trainAccuracy === undefined ||
    validationClean === undefined ||
    validationRobust === undefined
  )
    return [];
  const chosenBy =
    Object.keys(measurements).at(-1) === 'validation/clean' ? 'validationClean' : 'validationRobust';
  return [{ epoch, loss, trainAccuracy, validationClean, validationRobust, chosenBy, seconds }];
}

/**
 * Exact McNemar tests of all pairs of networks, on their verdicts under attack of the same examples, with Holm's
 * adjustment for their number.
 *
 * @throws {InputError} if the examples are not the same.
 */
export function compareVerdicts(networks: readonly Compared[]): Comparison[] {
  const pairs = networks.flatMap((first, index) =>
    networks
      .slice(index + 1)
      .map((other) => ({ first: first.name, other: other.name, ...countOf(first, other) })),
  );
  const adjusted = holm(
    pairs.map(({ onlyFirstRight, onlyOtherRight }) => mcnemar(onlyFirstRight, onlyOtherRight)),
  );
  return pairs.map((pair, index) => ({ ...pair, pValue: adjusted[index]! }));
}

interface Compared {
  readonly name: string;
  readonly result: EvaluationResult;
}

function countOf({ result: first }: Compared, { result: other }: Compared) {
  if (first.pixelsDigest !== other.pixelsDigest)
    throw InputError.expected('evaluations on the same images', 'the comparison', [
      first.pixelsDigest,
      other.pixelsDigest,
    ]);
  const stands = (result: EvaluationResult, index: number) =>
    result.perExample[index]!.clean && result.perExample[index]!.brokenBy === null;
  const indices = first.perExample.map((_, index) => index);
  return {
    onlyFirstRight: indices.filter((index) => stands(first, index) && !stands(other, index)).length,
    onlyOtherRight: indices.filter((index) => !stands(first, index) && stands(other, index)).length,
  };
}
