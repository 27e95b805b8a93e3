import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseActivation } from '../../activations/parse.js';
import type { DemoDescription, DemoImage, DemoNetwork } from '../../browser/demo-description.js';
import type { BrowserNormName } from '../../browser/norms.js';
import type { Dataset } from '../../data/dataset.js';
import { InputError, SatinError } from '../../errors.js';
import { writeFileDurably, writeJsonDurably } from '../../files/durable-file.js';
import { makeFolder, makeSubfolder } from '../../files/make-folder.js';
import { explainWriteError } from '../../files/system-error.js';
import type { OnExport } from '../../models/on-export.js';
import { encodeOnnx } from '../../models/onnx-export.js';
import { packageFolder } from '../../provenance/package-folder.js';
import { pictureFile } from '../../report/images.js';
import type { Epsilon } from '../../user-input/epsilon.js';
import { checkpointModel } from '../model/checkpoint-model.js';
import { onnxMetadata } from '../model/onnx-metadata.js';
import type { ModelFile } from '../model/read-model-file.js';

/** A model of Satin, of which the description and the weights are known. */
export type SatinFile = Extract<ModelFile, { kind: 'satin' }>;

/** The page that `npm run build` makes of web/demo. */
const builtPage = join(packageFolder, 'dist', 'web', 'demo');

/**
 * Writes a folder that any web server can serve: the page, both networks as ONNX with their input gradients, images to
 * attack, and `demo.json`, the last file.
 *
 * @throws {InputError} for networks that cannot be shown beside each other.
 * @throws {SatinError} if the page was not built.
 */
export async function writeDemo(options: {
  /** Empty, or does not exist. */
  readonly folder: string;
  readonly files: readonly [SatinFile, SatinFile];
  readonly dataset: Dataset;
  readonly threat: Epsilon & { readonly norm: BrowserNormName };
  readonly seed: number;
  readonly onProgress?: OnExport;
}): Promise<void> {
  const { folder, files, dataset, threat, seed, onProgress } = options;
  const shape = requireSameTask(files);
  requireBuiltPage();
  makeFolder(folder);
  try {
    cpSync(builtPage, folder, { recursive: true });
  } catch (error) {
    throw explainWriteError(folder, error);
  }
  const titles = titlesOf(files);
  const networks = files.map((file, index) =>
    writeNetwork(folder, file, { index, title: titles[index]!, onProgress }),
  );
  const images = await writeImages(folder, dataset, onProgress);
  const { name: data, classes } = dataset;
  const { norm, epsilon, epsilonText } = threat;
  const description: DemoDescription = {
    data,
    classes,
    shape,
    threat: { norm, epsilon, epsilonText },
    seed,
    networks,
    images,
  };
  writeJsonDurably(join(folder, 'demo.json'), description);
}

/** @throws {SatinError} if `npm run build` has not made the page. */
export function requireBuiltPage(): void {
  if (!existsSync(join(builtPage, 'index.html')))
    throw new SatinError(
      'not-built',
      `Expected the page of the demo in ${builtPage} but it was not built. Run npm run build.`,
    );
}

/**
 * The shape of the images that both networks take.
 *
 * @throws {InputError} if they take other images or know other classes, or if the images are no pictures.
 */
export function requireSameTask([first, second]: readonly [SatinFile, SatinFile]): DemoDescription['shape'] {
  const [one, other] = [first.checkpoint.model, second.checkpoint.model];
  const compare = (what: string, wanted: readonly unknown[], found: readonly unknown[]) => {
    if (wanted.join('\n') !== found.join('\n'))
      throw InputError.expected(
        `a model with the ${what} of ${first.path}: ${wanted.join(', ')}`,
        'the second model',
        found.join(', '),
      );
  };
  compare('classes', one.classes, other.classes);
  compare('input shape', one.shape, other.shape);
  const [channels, height, width] = one.shape;
  if (channels === 1 || channels === 3) return [channels, height, width];
  throw InputError.expected('a model for grey (1) or colour (3) images', 'the model', channels);
}

/** `ReLU` and `SiLU`; the paths where the activations are the same. */
function titlesOf(files: readonly SatinFile[]): readonly string[] {
  const activations = files.map(({ checkpoint }) => parseActivation(checkpoint.model.activation).title);
  return new Set(activations).size === files.length ? activations : files.map(({ path }) => path);
}

function writeNetwork(
  folder: string,
  file: SatinFile,
  options: {
    readonly index: number;
    readonly title: string;
    readonly onProgress: OnExport | undefined;
  },
): DemoNetwork {
  const { index, title } = options;
  const onProgress: OnExport = ({ label, ...part }) =>
    options.onProgress?.({ label: `${title}: ${label}`, ...part });
  onProgress({ label: 'load the weights', done: 0, total: 1 });
  using model = checkpointModel(file.checkpoint);
  const { description } = model;
  const digest = file.checkpoint.weightsDigest;
  const metadata = onnxMetadata(file, { description, digest });
  const bytes = encodeOnnx(model, { fold: true, loss: 'cross-entropy', metadata, onProgress }).inputGradient!;
  makeSubfolder(join(folder, 'networks'));
  const name = `networks/${index + 1}-${fileNameOf(description.activation)}.gradient.onnx`;
  writeFileDurably(join(folder, name), [bytes]);
  const { formula } = parseActivation(description.activation);
  const { architecture } = description;
  return { title, architecture, formula, file: name, bytes: bytes.length, digest };
}

async function writeImages(
  folder: string,
  dataset: Dataset,
  onProgress: OnExport | undefined,
): Promise<readonly DemoImage[]> {
  const { images, labels, ids, classes, shape } = dataset;
  const [channels, height, width] = shape;
  const size = channels * height * width;
  makeSubfolder(join(folder, 'images'));
  const written: DemoImage[] = [];
  for (const [index, label] of labels.entries()) {
    onProgress?.({ label: 'write the images', done: index, total: labels.length });
    const data = Float32Array.from(images.subarray(index * size, (index + 1) * size), (byte) => byte / 255);
    const file = `images/${String(index).padStart(4, '0')}-${fileNameOf(classes[label]!)}.png`;
    writeFileDurably(join(folder, file), [await pictureFile({ channels, height, width, data })]);
    written.push({ file, label, id: ids[index]! });
  }
  return written;
}

/** What every server and file system takes: `T-shirt/top` is `t-shirt-top`. */
function fileNameOf(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return name.slice(0, 40) || 'class';
}
