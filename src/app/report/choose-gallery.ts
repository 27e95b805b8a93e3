import { norms } from '../../attacks/norms.js';
import type { Dataset } from '../../data/dataset.js';
import { DatasetTensors } from '../../data/dataset-tensors.js';
import { stackImages } from '../../data/image-stack.js';
import type { FinishedEvaluation } from '../../evaluation/folder/finished.js';
import { padSingleton } from '../../evaluation/model-under-test.js';
import type { ExampleResult } from '../../evaluation/result.js';
import type { GalleryExample } from '../../report/input.js';
import { scope } from '../../tensor/scope.js';
import { lastIterates } from '../evaluate/last-iterate.js';
import type { AttackableModel } from '../model/open-model.js';
import { type TopPrediction, topPredictions } from '../predict.js';

export interface GalleryNetwork {
  /** As in `ReportNetwork`. */
  readonly name: string;
  readonly model: AttackableModel;
  /** On `data`, with the same norm, ε, seed and last attack for all networks. */
  readonly measured: FinishedEvaluation;
}

export interface GalleryOptions {
  readonly networks: readonly GalleryNetwork[];
  /** What the networks were evaluated on. */
  readonly data: Dataset;
  /** @default 8 */
  readonly count?: number;
  /** Whether examples that an attack did not break are shown too, at its last iterate, which needs a gradient. @default true */
  readonly standing?: boolean;
}

/**
 * Chooses the gallery of a report: up to `count` examples that every network classifies correctly, in the order of the
 * data. Examples that were broken in at least one network come first, spread over the classes. For a network that is
 * robust on an example, the image is the attack's last iterate.
 */
export function chooseGallery(options: GalleryOptions): GalleryExample[] {
  const { networks, data } = options;
  const indices = chooseForGallery(options);
  if (indices.length === 0) return [];
  const views = networks.map((network) => {
    using tensors = new DatasetTensors(data, network.model.device);
    return scope(() => viewsOf(network, tensors, indices));
  });
  const [channels, height, width] = data.shape;
  const picture = (pixels: Float32Array) => ({ channels, height, width, data: pixels });
  const pixels = channels * height * width;
  return indices.map((index, at) => ({
    id: data.ids[index]!,
    ...nameOf(networks[0]!.measured.result.perExample[index]!),
    label: data.classes[data.labels[index]!]!,
    image: picture(
      Float32Array.from(data.images.subarray(index * pixels, (index + 1) * pixels), (byte) => byte / 255),
    ),
    networks: networks.map(({ name }, network) => {
      const { image, clean, attacked } = views[network]![at]!;
      return {
        name,
        adversarial: picture(image),
        clean: { class: data.classes[clean.label]!, probability: clean.probability },
        attacked: { class: data.classes[attacked.label]!, probability: attacked.probability },
      };
    }),
  }));
}

function chooseForGallery({ networks, data, count = 8, standing = true }: GalleryOptions): number[] {
  const verdicts = networks.map(({ measured }) => measured.result.perExample);
  const seen = new Map<string, number>();
  return Array.from(data.ids, (_, index) => index)
    .filter((index) => verdicts.every((perExample) => perExample[index]!.clean))
    .filter((index) => standing || verdicts.every((perExample) => perExample[index]!.brokenBy !== null))
    .map((index) => {
      const stood = verdicts.every((perExample) => perExample[index]!.brokenBy === null);
      const group = `${stood}/${data.labels[index]}`;
      const rank = seen.get(group) ?? 0;
      seen.set(group, rank + 1);
      return { index, stood: Number(stood), rank };
    })
    .sort((a, b) => a.stood - b.stood || a.rank - b.rank || a.index - b.index)
    .slice(0, count)
    .map(({ index }) => index)
    .sort((a, b) => a - b);
}

/** An image of a folder goes by its file. */
function nameOf({ file }: ExampleResult): { readonly name?: string } {
  return file === undefined ? {} : { name: file };
}

interface View {
  readonly image: Float32Array; // [C, H, W]
  readonly clean: TopPrediction;
  readonly attacked: TopPrediction;
}

/** The predictions of one network on the chosen examples. */
function viewsOf(network: GalleryNetwork, data: DatasetTensors, indices: readonly number[]): View[] {
  const { model, measured } = network;
  const { attacks, norm, epsilon, seed } = measured.result;
  const classify = padSingleton(model.classify);
  const { x } = data.batch(indices);
  const images = indices.map((index) => measured.evaluation.adversarial.get(index));
  const stood = indices.map((_, at) => at).filter((at) => images[at] === undefined);
  if (stood.length > 0)
    lastIterates(model, data.batch(stood.map((at) => indices[at]!)), {
      attack: attacks.at(-1)?.name ?? 'pgd-50',
      threat: { norm: norms[norm], epsilon },
      seed,
    }).forEach((image, at) => {
      images[stood[at]!] = image;
    });
  const adversarial = images.filter((image) => image !== undefined);
  const clean = topPredictions(classify, x);
  const attacked = topPredictions(classify, stackImages(adversarial, x.shape.slice(1), x.device));
  return indices.map((_, at) => ({ image: images[at]!, clean: clean[at]!, attacked: attacked[at]! }));
}
