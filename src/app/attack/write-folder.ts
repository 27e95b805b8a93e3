import { basename, extname, join } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import type { ResizeRule } from '../../data/image-rules.js';
import { cardName } from '../../engine/device.js';
import { engineInfo } from '../../engine/engine-info.js';
import { writeFileDurably, writeJsonDurably } from '../../files/durable-file.js';
import { makeFolder } from '../../files/make-folder.js';
import { commandLine } from '../../provenance/command-line.js';
import { version } from '../../provenance/version.js';
import { renderAttackPage } from '../../report/attack/page.js';
import type { AttackedPictures } from '../../report/attack/result.js';
import { theModel } from '../../report/gallery.js';
import { eightBits, magnification, magnifiedChange, pictureFile } from '../../report/images.js';
import type { GalleryExample } from '../../report/input.js';
import { safetensorsParts } from '../../weights/safetensors.js';
import { type AttackedImage, type AttackImagesOptions, attackImages } from './attack-images.js';

export interface AttackPicturesOptions extends AttackImagesOptions {
  /** Paths of the images. */
  readonly files: readonly string[];
  /** What is odd about them, one sentence each. @default none */
  readonly warnings?: readonly string[];
  /** How they were resized. */
  readonly resize: ResizeRule;
}

/** What an attack on a user's own images found, and the images that `writeAttackFolder` writes. */
export interface AttackedFiles {
  readonly result: AttackedPictures;
  readonly images: readonly AttackedImage[];
}

/** Attacks a user's own images. Nothing is written. */
export async function attackFiles(options: AttackPicturesOptions): Promise<AttackedFiles> {
  const { model, files, classes, label, attack, norm, epsilon, seed, resize } = options;
  const images = await attackImages(options);
  const said = ({ label, probability }: AttackedImage['before']) => ({ class: classes[label]!, probability });
  const result: AttackedPictures = {
    satin: version,
    command: commandLine(),
    engine: engineInfo().libtorch,
    device: model.device,
    card: cardName(model.device),
    made: new Date().toISOString(),
    model: model.name,
    modelDigest: model.digest,
    attack,
    norm,
    ...epsilon,
    seed,
    resize,
    labels: label === null ? 'predicted' : 'given',
    warnings: options.warnings ?? [],
    images: images.map((image, index) => ({
      image: files[index]!,
      label: classes[image.label]!,
      outcome: image.outcome,
      before: said(image.before),
      after: said(image.after),
      distance: image.distance,
      png: {
        ...said(image.rounded),
        distance: image.roundedDistance,
        fools: image.rounded.label !== image.label,
      },
    })),
  };
  return { result, images };
}

export interface AttackFolderOptions {
  /** Must be empty or not exist yet. */
  readonly folder: string;
  readonly result: AttackedPictures;
  /** The images of `result.images`, with their pixels. */
  readonly images: readonly AttackedImage[];
  readonly shape: Dataset['shape'];
  /** Told before each image. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Writes three PNGs per image (original in the model's size, adversarial, magnified perturbation), the page `index.html`,
 * `attack.json`, and `adversarial.safetensors` with the exact images (`images` float32 [N, C, H, W], `originals` bytes
 * [N, C, H, W], `labels`).
 */
export async function writeAttackFolder(options: AttackFolderOptions): Promise<void> {
  const { folder, result, images, shape, onProgress } = options;
  const gallery = images.map((image, index) => exampleOf(image, result.images[index]!, { index, shape }));
  const factor = magnification(gallery);
  makeFolder(folder);
  for (const [index, name] of pictureNames(result.images.map(({ image }) => image)).entries()) {
    onProgress?.(index, images.length);
    const { image, networks } = gallery[index]!;
    const { adversarial } = networks[0]!;
    for (const [kind, picture] of [
      ['original', image],
      ['adversarial', adversarial],
      ['change', magnifiedChange(image, adversarial, factor)],
    ] as const)
      writeFileDurably(join(folder, `${name}-${kind}.png`), [await pictureFile(picture)]);
  }
  writeFileDurably(join(folder, 'adversarial.safetensors'), exactImages(images, shape, result));
  writeJsonDurably(join(folder, 'attack.json'), result);
  writeFileDurably(join(folder, 'index.html'), [Buffer.from(await renderAttackPage(result, gallery))]);
}

function exampleOf(
  { image, adversarial }: AttackedImage,
  { image: name, label, before, after }: AttackedPictures['images'][number],
  { index, shape }: { readonly index: number; readonly shape: Dataset['shape'] },
): GalleryExample {
  const [channels, height, width] = shape;
  const picture = (data: Float32Array) => ({ channels, height, width, data });
  const network = {
    name: theModel,
    adversarial: picture(adversarial),
    clean: before,
    attacked: after,
  };
  return { id: index, name, label, image: picture(image), networks: [network] };
}

function exactImages(
  images: readonly AttackedImage[],
  shape: Dataset['shape'],
  { norm, epsilonText }: AttackedPictures,
): Uint8Array[] {
  const all = [images.length, ...shape];
  const floats = images.map(({ adversarial }) =>
    Buffer.from(adversarial.buffer, adversarial.byteOffset, adversarial.byteLength),
  );
  const bytes = images.map(({ image }) => eightBits(image)); // which is exact: they were decoded to bytes
  const labels = BigInt64Array.from(images, ({ label }) => BigInt(label));
  return safetensorsParts(
    [
      { name: 'images', dtype: 'F32', shape: all, bytes: Buffer.concat(floats) },
      { name: 'originals', dtype: 'U8', shape: all, bytes: Buffer.concat(bytes) },
      { name: 'labels', dtype: 'I64', shape: [images.length], bytes: new Uint8Array(labels.buffer) },
    ],
    { norm, epsilon: epsilonText },
  );
}

/** File systems allow 255 bytes for a name; `-12-adversarial.png.tmp` takes some of them. */
const longestName = 220;

/** `photos/boot.jpg` becomes `boot`; a second file of that name becomes `boot-2`. Long names are cut. */
export function pictureNames(files: readonly string[]): string[] {
  const taken = new Set<string>();
  return files.map((file) => {
    const bare = cut(basename(file, extname(file)));
    let name = bare;
    // Some file systems ignore case.
    for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${bare}-${number}`;
    taken.add(name.toLowerCase());
    return name;
  });
}

function cut(name: string): string {
  if (Buffer.byteLength(name) <= longestName) return name;
  const characters = [...name];
  while (Buffer.byteLength(characters.join('')) > longestName) characters.pop();
  return characters.join('');
}
