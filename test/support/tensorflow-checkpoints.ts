/** The checkpoints that scripts/golden/tensorflow_checkpoints.py wrote, as TensorFlow wrote them and damaged. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ImportedModel, importWeights } from '../../src/app/model/import-weights.js';
import { InputError } from '../../src/errors.js';
import type { ModelName } from '../../src/models/architectures/names.js';
import type { ExternalDescription } from '../../src/models/external-description.js';
import { maskedCrc32c } from '../../src/weights/tensorflow/crc32c.js';
import { readWeightsFile } from '../../src/weights/weights-file.js';
import { readGolden } from './golden.js';

export interface GoldenOutput {
  readonly entry: 'raw' | 'ema';
  readonly side: number;
  readonly logits: readonly number[];
  readonly gradient: {
    readonly largest: number;
    readonly norm: number;
    readonly positions: readonly number[];
    readonly values: readonly number[];
  };
}

export interface GoldenCheckpoint {
  readonly name: string;
  readonly architecture: ModelName;
  readonly width: number;
  readonly activation: string;
  readonly outputs: readonly GoldenOutput[];
}

const golden = readGolden<{
  images: readonly { readonly side: number; readonly pixels: string }[];
  networks: readonly GoldenCheckpoint[];
}>('tensorflow');

export const checkpoints = golden.networks;

export function checkpointNamed(name: string): GoldenCheckpoint {
  return checkpoints.find((each) => each.name === name)!;
}

/** Pixels in [0, 1], [1, 3, side, side]. */
export function imageOf(side: number): Float32Array {
  const { pixels } = golden.images.find((image) => image.side === side)!;
  return Float32Array.from(Buffer.from(pixels, 'hex'), (byte) => byte / 255);
}

const folder = fileURLToPath(new URL('../../../test/golden/tensorflow/', import.meta.url));

export const prefixOf = (name: string) => join(folder, name);

/** The description that goes with a golden checkpoint. */
export function descriptionOf({ architecture, width, activation }: GoldenCheckpoint): ExternalDescription {
  const classes = Array.from({ length: 10 }, (_, label) => `class ${label}`);
  return { architecture, width, activation, classes, shape: [3, 48, 48], padding: 'same' };
}

export function importCheckpoint(
  checkpoint: GoldenCheckpoint,
  options: { readonly prefix?: string; readonly entry?: string; readonly padding?: 'symmetric' } = {},
): ImportedModel {
  const { prefix = prefixOf(checkpoint.name), entry } = options;
  const { padding, ...symmetric } = descriptionOf(checkpoint);
  return importWeights(readWeightsFile(prefix, { entry }), {
    description: { ...symmetric, ...(options.padding === undefined && { padding }) },
    preprocessing: { range: [-1, 1], normalise: null },
  });
}

/** Bytes of every tensor of a model, by name. */
export function stateOf({ model }: Pick<ImportedModel, 'model'>): ReadonlyMap<string, string> {
  return new Map(
    [...model.network.state()].map(([name, tensor]) => {
      const { buffer, byteOffset, byteLength } = tensor.data();
      return [name, Buffer.from(buffer, byteOffset, byteLength).toString('latin1')];
    }),
  );
}

/** A repeatable sequence of whole numbers below a bound (Numerical Recipes' constants). */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Below = (below: number) => number;

/** One change of some bytes: overwritten, cut off, removed, inserted, swapped, or a number made extreme. */
function damaged(bytes: Buffer, below: Below): Buffer {
  const at = below(bytes.length);
  const some = () => Buffer.from(Array.from({ length: 1 + below(8) }, () => below(256)));
  switch (below(7)) {
    case 0:
    case 1: {
      const copy = Buffer.from(bytes);
      copy[at] = copy[at]! ^ (1 << below(8));
      return copy;
    }
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([
        bytes.subarray(0, at),
        bytes.subarray(Math.min(bytes.length, at + 1 + below(64))),
      ]);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), some(), bytes.subarray(at)]);
    case 5: {
      const copy = Buffer.from(bytes);
      copy.fill([0, 0x7f, 0x80, 0xff][below(4)]!, at, at + 1 + below(12));
      return copy;
    }
    default: {
      const length = 1 + below(64);
      const other = below(bytes.length);
      const copy = Buffer.from(bytes);
      bytes.copy(copy, at, other, Math.min(bytes.length, other + length));
      return copy;
    }
  }
}

/**
 * An index in which one block has changed and its checksum and the places of all blocks have been corrected, so that the
 * change reaches the readers of blocks, entries and messages.
 */
function damagedBehindChecksum(index: Buffer, below: Below): Buffer {
  const footer = index.subarray(index.length - 48);
  const varint = (bytes: Buffer, at: number): readonly [value: number, next: number] => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return [value, at];
    }
  };
  const [, second] = varint(footer, 0);
  const [, third] = varint(footer, second);
  const [indexOffset, fourth] = varint(footer, third);
  const [indexLength] = varint(footer, fourth);
  // Overwriting within a block moves nothing, so that only its checksum has to be corrected.
  const inIndex = below(6) === 0;
  const copy = Buffer.from(index);
  const [start, length] = inIndex ? [indexOffset, indexLength] : [0, dataLength(index, indexOffset)];
  const at = start + below(length);
  if (below(2) === 0) copy[at] = copy[at]! ^ (1 << below(8));
  else copy.fill([0, 1, 0x7f, 0x80, 0xff][below(5)]!, at, Math.min(start + length, at + 1 + below(10)));
  copy.writeUInt32LE(maskedCrc32c(copy.subarray(start, start + length + 1)), start + length + 1);
  return copy;
}

/** Length of the first data block: the first entry of the index block holds its place. */
function dataLength(index: Buffer, indexOffset: number): number {
  const [own, valueLength] = [index[indexOffset + 1]!, index[indexOffset + 2]!];
  const value = index.subarray(indexOffset + 3 + own, indexOffset + 3 + own + valueLength);
  let length = 0;
  for (let at = 1, shift = 1; at < value.length; at++, shift *= 128) length += (value[at]! & 127) * shift;
  return length;
}

export interface Mutants {
  readonly refused: number;
  /** Only bytes changed that are no weights. */
  readonly unchanged: number;
  /** Those that are neither, each with what happened; there must be none. */
  readonly wrong: readonly string[];
  /** The longest time that reading one took, in seconds. */
  readonly slowest: number;
}

/** Reads `count` damaged copies of a checkpoint, written to `folder`. */
export function readMutants(
  checkpoint: GoldenCheckpoint,
  { count, seed, folder }: { readonly count: number; readonly seed: number; readonly folder: string },
): Mutants {
  const original = prefixOf(checkpoint.name);
  const prefix = join(folder, 'mutant');
  const files = {
    index: readFileSync(`${original}.index`),
    data: readFileSync(`${original}.data-00000-of-00001`),
  };
  const whole = importCheckpoint(checkpoint);
  const expected = stateOf(whole);
  whole.model.dispose();
  const below = random(seed);
  const wrong: string[] = [];
  let [refused, unchanged, slowest] = [0, 0, 0];
  for (let number = 0; number < count; number++) {
    const kind = (['index', 'index behind its checksum', 'data'] as const)[number % 3]!;
    const index =
      kind === 'data'
        ? files.index
        : kind === 'index'
          ? damaged(files.index, below)
          : damagedBehindChecksum(files.index, below);
    writeFileSync(`${prefix}.index`, index);
    writeFileSync(`${prefix}.data-00000-of-00001`, kind === 'data' ? damaged(files.data, below) : files.data);
    const began = performance.now();
    try {
      const found = importCheckpoint(checkpoint, { prefix });
      const state = stateOf(found);
      found.model.dispose();
      if ([...expected].every(([name, bytes]) => state.get(name) === bytes)) unchanged++;
      else wrong.push(`mutant ${number} of the ${kind}: read as other weights`);
    } catch (error) {
      if (error instanceof InputError) refused++;
      else wrong.push(`mutant ${number} of the ${kind}: ${String(error)}`);
    }
    slowest = Math.max(slowest, (performance.now() - began) / 1000);
  }
  return { refused, unchanged, wrong, slowest };
}
