import { parseActivation } from './activations/parse.js';
import { parseAttack, parseGradientAttack, stepSizeOf } from './attacks/attack.js';
import { descend } from './attacks/descend.js';
import { norms } from './attacks/norms.js';
import type { Dataset } from './data/dataset.js';
import { DatasetTensors } from './data/tensors.js';
import { InputError } from './errors.js';
import type { EvaluationResult } from './evaluation/result.js';
import { mcnemar, wilsonInterval } from './evaluation/statistics.js';
import { paired } from './evaluation/subject.js';
import type { EvaluationRun } from './evaluation-run.js';
import type { Model } from './models/model.js';
import type { Classifier } from './nn/classifier.js';
import { parseRecipe } from './recipe.js';
import type { Comparison, CurvePoint, EpochPoint, GalleryExample, ReportNetwork } from './report/input.js';
import { readEvents } from './runs/event-log.js';
import type { RunEvent } from './runs/events.js';
import { readStoredRecipe } from './runs/run-folder.js';
import { tensor } from './tensor/create.js';
import { softmax } from './tensor/functional.js';
import { noGrad } from './tensor/gradient.js';
import { scope } from './tensor/scope.js';
import type { Tensor } from './tensor/tensor.js';

/** From run folders and measurements to the parts of a report. Nothing is measured here but a gallery's few images. */
export interface NetworkReportOptions {
  /** The run folder. */
  readonly run: string;
  /** @default the title of the activation: `SiLU` */
  readonly name?: string;
  readonly evaluation: EvaluationResult;
  /** From `accuracyCurve`; may be empty. */
  readonly curve: readonly CurvePoint[];
}

/**
 * What a report says of one network: its recipe and learning curves from the run folder, with the measurements.
 *
 * @throws {InputError} where the folder is no run, or one that was never begun.
 */
export function networkReport({ run, name, evaluation, curve }: NetworkReportOptions): ReportNetwork {
  const recipe = parseRecipe(readStoredRecipe(run), `the run ${run}`);
  const events = readEvents(run);
  const began = events.find((event) => event.type === 'start');
  if (began === undefined) throw InputError.expected('a run that has begun', 'the run', run);
  const activation = parseActivation(recipe.model.activation);
  return {
    name: name ?? activation.title,
    activation: recipe.model.activation,
    formula: activation.formula,
    parameters: began.parameters,
    recipe,
    trainingSeconds: epochsOf(events).reduce((sum, { seconds }) => sum + seconds, 0),
    epochs: epochsOf(events).flatMap(epochPoint),
    evaluation,
    cleanInterval: wilsonInterval(
      evaluation.perExample.filter(({ clean }) => clean).length,
      evaluation.examples,
    ),
    curve,
  };
}

function epochsOf(events: readonly RunEvent[]) {
  return events.filter((event) => event.type === 'epoch');
}

/** The last measurement chooses the epoch to keep. Nothing for an epoch without validation, where a learning curve would have holes. */
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
 * Exact McNemar over the verdicts under attack of two networks on the same examples.
 *
 * @throws {InputError} where the examples are not the same.
 */
export function compare(first: EvaluationResult, other: EvaluationResult): Comparison {
  if (first.pixelsDigest !== other.pixelsDigest)
    throw InputError.expected('evaluations on the same images', 'the comparison', [
      first.pixelsDigest,
      other.pixelsDigest,
    ]);
  const stands = (result: EvaluationResult, place: number) =>
    result.perExample[place]!.clean && result.perExample[place]!.brokenBy === null;
  const places = first.perExample.map((_, place) => place);
  const onlyFirstRight = places.filter((place) => stands(first, place) && !stands(other, place)).length;
  const onlyOtherRight = places.filter((place) => !stands(first, place) && stands(other, place)).length;
  return { onlyFirstRight, onlyOtherRight, pValue: mcnemar(onlyFirstRight, onlyOtherRight) };
}

export interface GalleryNetwork {
  /** As in `ReportNetwork`. */
  readonly name: string;
  readonly model: Model;
  /** All networks' on `data`, with one norm, ε, seed and attack last. */
  readonly measured: EvaluationRun;
}

export interface GalleryOptions {
  readonly networks: readonly GalleryNetwork[];
  /** What the networks were measured on. */
  readonly data: Dataset;
  /** @default 8 */
  readonly count?: number;
}

/**
 * The gallery of a report: up to `count` examples that every network classifies rightly as they are, those first that
 * were broken in at least one network, of as many classes as there are, in the order of the data. For a network that
 * withstood the attack, the image is its last iterate.
 */
export function galleryOf({ networks, data, count = 8 }: GalleryOptions): GalleryExample[] {
  const places = chooseForGallery(networks, data, count);
  if (places.length === 0) return [];
  using tensors = new DatasetTensors(data);
  const views = networks.map((network) => scope(() => viewsOf(network, tensors, places)));
  const [channels, height, width] = data.shape;
  const picture = (pixels: Float32Array) => ({ channels, height, width, data: pixels });
  const pixels = channels * height * width;
  return places.map((place, at) => ({
    id: data.ids[place]!,
    label: data.classes[data.labels[place]!]!,
    image: picture(
      Float32Array.from(data.images.subarray(place * pixels, (place + 1) * pixels), (byte) => byte / 255),
    ),
    networks: networks.map(({ name }, index) => {
      const { image, clean, attacked } = views[index]![at]!;
      return {
        name,
        adversarial: picture(image),
        clean: { class: data.classes[clean.label]!, probability: clean.probability },
        attacked: { class: data.classes[attacked.label]!, probability: attacked.probability },
      };
    }),
  }));
}

function chooseForGallery(networks: readonly GalleryNetwork[], data: Dataset, count: number): number[] {
  const verdicts = networks.map(({ measured }) => measured.result.perExample);
  const seen = new Map<string, number>();
  return Array.from(data.ids, (_, place) => place)
    .filter((place) => verdicts.every((perExample) => perExample[place]!.clean))
    .map((place) => {
      const stood = verdicts.every((perExample) => perExample[place]!.brokenBy === null);
      const group = `${stood}/${data.labels[place]}`;
      const rank = seen.get(group) ?? 0;
      seen.set(group, rank + 1);
      return { place, stood: Number(stood), rank };
    })
    .sort((a, b) => a.stood - b.stood || a.rank - b.rank || a.place - b.place)
    .slice(0, count)
    .map(({ place }) => place)
    .sort((a, b) => a - b);
}

interface View {
  readonly image: Float32Array; // [C, H, W]
  readonly clean: Answer;
  readonly attacked: Answer;
}

interface Answer {
  readonly label: number;
  readonly probability: number;
}

/** What one network makes of the chosen examples. */
function viewsOf(network: GalleryNetwork, data: DatasetTensors, places: readonly number[]): View[] {
  const { model, measured } = network;
  const classify = paired(model.classify);
  const { x } = data.batch(places);
  const images = places.map((place) => measured.evaluation.adversarial.get(place));
  const stood = places.map((_, at) => at).filter((at) => images[at] === undefined);
  if (stood.length > 0)
    lastIterates(
      network,
      data,
      stood.map((at) => places[at]!),
    ).forEach((image, index) => {
      images[stood[index]!] = image;
    });
  const adversarial = new Float32Array(x.size);
  images.forEach((image, at) => {
    adversarial.set(image!, at * image!.length);
  });
  const clean = answers(classify, x);
  const attacked = answers(classify, tensor(adversarial, x.shape));
  return places.map((_, at) => ({ image: images[at]!, clean: clean[at]!, attacked: attacked[at]! }));
}

/** Where the evaluation's last attack leaves images that withstand it. */
function lastIterates(
  { model, measured }: GalleryNetwork,
  data: DatasetTensors,
  places: readonly number[],
): Float32Array[] {
  const { norm: normName, epsilon, seed, attacks } = measured.result;
  const norm = norms[normName];
  const strongest = parseAttack(attacks.at(-1)?.name ?? 'pgd-50');
  // The others have no last iterate to show.
  const attack = strongest.kind === 'pgd' ? strongest : parseGradientAttack('pgd-50');
  using folded = model.fold();
  const { x, labels, ids } = data.batch(places);
  const key = { seed, stream: 'attack', restart: 0 } as const;
  const start = attack.randomStart ? norm.randomStart(x, { epsilon, key, ids }) : x;
  const stepSize = stepSizeOf(attack, epsilon);
  const last = descend(
    paired(folded.classify),
    { x, labels, start },
    { norm, epsilon, steps: attack.steps, stepSize },
  );
  const pixels = last.data() as Float32Array;
  const length = pixels.length / places.length;
  return places.map((_, at) => pixels.slice(at * length, (at + 1) * length));
}

function answers(classify: Classifier, x: Tensor): Answer[] {
  return scope(() => {
    const { values, indices } = noGrad(() => softmax(classify(x)).topk(1));
    const [probabilities, labels] = [values.numbers(), indices.numbers()];
    return Array.from(labels, (label, at) => ({ label, probability: probabilities[at]! }));
  });
}
