/**
 * Files that somebody damaged or made up, of every format that Satin reads, through the command line: exit code 2 and one
 * sentence, or 0 where a change does not matter; no crash, no hang over 10 s, no memory over 1 GB. 1000 mutants and 200
 * made-up files of each format; `SATIN_FUZZ_SHARE=0.1` takes a tenth. A file that fails is kept, and named.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import sharp from 'sharp';
import { readCheckpoint } from '../../../src/runs/checkpoint.js';
import { encodeSafetensors, readSafetensors } from '../../../src/weights/safetensors.js';
import { HostileChild } from '../../support/hostile-child.js';
import {
  hostileIdx,
  hostileIdxGzip,
  hostileLines,
  hostileModel,
  hostileObject,
  hostilePickle,
  hostilePng,
  hostileRecipe,
  hostileSafetensors,
  hostileZip,
  type MakeFile,
} from '../../support/made-up-files.js';
import { mutant, random } from '../../support/mutants.js';
import { satin, tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

const share = Number(process.env.SATIN_FUZZ_SHARE ?? 1);
const counts = { mutants: Math.ceil(1000 * share), madeUp: Math.ceil(200 * share) };
const mostMemory = 1e9;

const folder = mkdtempSync(join(tmpdir(), 'satin-hostile-'));
const place = (...names: readonly string[]) => join(folder, ...names);
const golden = (name: string) => fileURLToPath(new URL(`../../../../test/golden/${name}`, import.meta.url));
/** Kept files of failures stay; the rest goes. */
let failures = 0;
after(() => {
  if (failures === 0) rmSync(folder, { recursive: true });
});

writeTinyMnist(place('mnist'));
const recipe = tinyRecipe(place('mnist'));
writeFileSync(place('tiny.yaml'), JSON.stringify(recipe));
const run = (...words: readonly string[]) => {
  const { status, stderr } = satin(...words);
  assert.equal(status, 0, stderr);
};
run('train', place('tiny.yaml'), '--out', place('run'));
const threat = ['--norm', 'linf', '--epsilon', '0.1', '--threads', '1'];
const few = ['--attack', 'fgsm', '--examples', '4', '--batch', '4'];
const onMnist = ['--data', 'mnist', '--data-dir', place('mnist')];
run('evaluate', place('run'), ...onMnist, ...few, ...threat, '--save-adversarial', place('evaluation'));
run('export', place('run'), '--format', 'torchscript', '--out', place('exported.pt'));
const image = place('image.png');
await sharp({ create: { width: 8, height: 8, channels: 3, background: '#345' } }).toFile(image);

/** How a file of a format reaches the program. */
interface Format {
  /** Right files. */
  readonly seeds: readonly Buffer[];
  readonly madeUp: MakeFile;
  readonly isText?: boolean;
  /** The right file too, for a reason that comes after it was read. */
  readonly isRefusedAnyway?: boolean;
  /** Where the file is put. */
  readonly path: string;
  readonly words: readonly string[];
  /** Removed before each command. */
  readonly out?: string;
  /** Exit codes beside 0 and 2 that come with a sentence too. */
  readonly alsoEndsWith?: readonly number[];
}

const described = readCheckpoint({ path: place('run') });
const goldens = (kind: string, names: readonly string[]) =>
  names.map((name) => readFileSync(golden(`${kind}/${name}`)));
const out = place('out');
const foreign = ['--architecture', 'resnet8', '--activation', 'relu', '--width', '0.0625', '--classes', '3'];
const importing = (path: string) =>
  ['export', path, '--format', 'safetensors', '--out', out, ...foreign, '--shape', '3x8x8'] as const;
const modelIn = (path: string) => ['evaluate', path, ...onMnist, ...few, ...threat];
const dataIn = (dir: string) => [
  'evaluate',
  place('run'),
  '--data',
  'mnist',
  '--data-dir',
  dir,
  ...few,
  ...threat,
];

/** A file within a copy of a folder, of which all else stays right. */
function within(
  of: string,
  name: string,
): { readonly path: string; readonly dir: string; readonly seed: Buffer } {
  const dir = place(`with-${of}-${name.replaceAll('/', '-')}`);
  cpSync(place(of), dir, { recursive: true });
  return { path: join(dir, name), dir, seed: readFileSync(place(of, name)) };
}

function jsonWithin(of: string, name: string, words: (dir: string) => readonly string[]): Format {
  const { path, dir, seed } = within(of, name);
  const isLines = name.endsWith('.jsonl');
  const text = seed.toString();
  return {
    path,
    words: words(dir),
    seeds: [seed],
    isText: true,
    out,
    alsoEndsWith: [1],
    madeUp: isLines
      ? hostileLines(text.trim().split('\n'))
      : (below) => Buffer.from(hostileObject(below, JSON.parse(text))),
  };
}

const verify = (dir: string) => ['verify', dir, '--threads', '1'];
const resume = (dir: string) => ['train', place('tiny.yaml'), '--out', dir, '--resume'];
const report = (dir: string) => ['report', dir, '--out', out, '--threads', '1'];
const predict = (dir: string) => ['predict', dir, image, '--threads', '1'];
const weightsFile = readdirSync(place('run', 'checkpoints')).find((name) =>
  /^best-\d+\.safetensors$/.test(name),
)!;

const kinds = ['jpeg', 'png', 'tiff', 'webp', 'gif', 'avif'] as const;
const pictures = await Promise.all(
  kinds.map((kind) =>
    sharp({ create: { width: 20, height: 12, channels: 3, background: '#7a3' } })
      .toFormat(kind)
      .toBuffer(),
  ),
);

const idxImages = within('mnist', 't10k-images-idx3-ubyte');
const idxLabels = within('mnist', 't10k-labels-idx1-ubyte');
const idxGzip = within('mnist', 't10k-images-idx3-ubyte');
const gzipDir = place('with-gzip');
cpSync(idxGzip.dir, gzipDir, { recursive: true });
rmSync(join(gzipDir, 't10k-images-idx3-ubyte'));

const cifar = place('cifar', 'test_batch.bin');
mkdirSync(dirname(cifar));
writeFileSync(place('cifar', 'batches.meta.txt'), 'abcdefghij'.split('').join('\n'));
const shards = place('shards', 'imagenet-val-000000.tar');
const shard = Buffer.from(
  await packTar([
    ...(await Promise.all(
      [0, 1, 2, 3].flatMap((at) => [
        sharp({ create: { width: 30, height: 24, channels: 3, background: `#${at}9${at}` } })
          .jpeg()
          .toBuffer()
          .then((body) => ({
            header: { name: `img${at}.jpg`, size: body.length },
            body: new Uint8Array(body),
          })),
        Promise.resolve({ header: { name: `img${at}.cls`, size: 1 }, body: String(at % 2) }),
      ]),
    )),
  ]),
);

const originals = within('evaluation', 'originals.safetensors');
const adversarial = within('evaluation', 'adversarial.safetensors');
const checkpoint = within('run', `checkpoints/${weightsFile}`);

const formats: Readonly<Record<string, Format>> = {
  'Satin’s weights': {
    seeds: [readFileSync(place('run', 'checkpoints', weightsFile))],
    madeUp: hostileModel(described.model),
    path: place('model.safetensors'),
    words: predict(place('model.safetensors')),
  },
  safetensors: {
    seeds: [Buffer.from(encodeSafetensors(readSafetensors(golden('state-dicts/tiny.safetensors')).arrays))],
    madeUp: hostileSafetensors,
    path: place('foreign.safetensors'),
    words: importing(place('foreign.safetensors')),
    out,
  },
  'PyTorch’s zip format': {
    seeds: goldens('state-dicts', ['tiny.pt', 'kinds.pt', 'wrapped.pt', 'zip64.pt']),
    madeUp: hostileZip,
    path: place('zip.pt'),
    words: importing(place('zip.pt')),
    out,
  },
  'PyTorch’s legacy format': {
    seeds: goldens('state-dicts', ['tiny-old.pt', 'kinds-old.pt']),
    madeUp: hostilePickle,
    path: place('old.pt'),
    words: importing(place('old.pt')),
    out,
  },
  TorchScript: {
    seeds: [readFileSync(place('exported.pt')), ...goldens('torchscript', ['scripted.pt', 'flat-28.pt'])],
    madeUp: hostileZip,
    path: place('script.pt'),
    words: modelIn(place('script.pt')),
    alsoEndsWith: [1],
  },
  'idx images': {
    seeds: [idxImages.seed],
    madeUp: hostileIdx,
    path: idxImages.path,
    words: dataIn(idxImages.dir),
  },
  'idx labels': {
    seeds: [idxLabels.seed],
    madeUp: hostileIdx,
    path: idxLabels.path,
    words: dataIn(idxLabels.dir),
  },
  'idx.gz': {
    seeds: [gzipSync(idxGzip.seed)],
    madeUp: hostileIdxGzip,
    path: join(gzipDir, 't10k-images-idx3-ubyte.gz'),
    words: dataIn(gzipDir),
  },
  CIFAR: {
    seeds: [Buffer.alloc(3073 * 10, 7)],
    madeUp: (below) => Buffer.alloc(3073 * below(20) + below(2), below(256)),
    path: cifar,
    isRefusedAnyway: true,
    words: ['evaluate', place('run'), '--data', 'cifar10', '--data-dir', dirname(cifar), ...few, ...threat],
  },
  'tar shards': {
    seeds: [shard],
    madeUp: (below) => mutant(shard, { below, isText: false }),
    path: shards,
    isRefusedAnyway: true,
    words: ['evaluate', place('run'), '--data', 'imagenet', '--data-dir', dirname(shards), ...few, ...threat],
  },
  images: {
    seeds: pictures,
    madeUp: hostilePng,
    path: place('picture'),
    words: ['predict', place('run'), place('picture'), '--threads', '1'],
  },
  recipes: {
    seeds: [
      Buffer.from(JSON.stringify({ ...recipe, data: { name: 'mnist', dir: place('nowhere') } })),
      Buffer.from(`name: a\ndata:\n  name: mnist\n  dir: ${place('nowhere')}\n`),
    ],
    madeUp: hostileRecipe({ ...recipe, data: { name: 'mnist', dir: place('nowhere') } }),
    isText: true,
    path: place('recipe.yaml'),
    isRefusedAnyway: true,
    words: ['train', place('recipe.yaml'), '--set', `data.dir=${place('nowhere')}`, '--out', out],
    out,
  },
  'the originals of an evaluation': {
    seeds: [originals.seed],
    madeUp: hostileSafetensors,
    path: originals.path,
    words: verify(originals.dir),
  },
  'the adversarial images of an evaluation': {
    seeds: [adversarial.seed],
    madeUp: hostileSafetensors,
    path: adversarial.path,
    words: verify(adversarial.dir),
    alsoEndsWith: [1],
  },
  'the verdicts of an evaluation': jsonWithin('evaluation', 'verdicts.jsonl', verify),
  'the manifest of an evaluation': jsonWithin('evaluation', 'manifest.json', verify),
  'the checkpoint of a run': {
    seeds: [checkpoint.seed],
    madeUp: hostileModel(described.model),
    path: checkpoint.path,
    words: predict(checkpoint.dir),
  },
  'the record of a checkpoint': jsonWithin('run', 'checkpoints/last.json', resume),
  'the recipe of a run': jsonWithin('run', 'recipe.json', resume),
  'the manifest of a run': jsonWithin('run', 'manifest.json', report),
  'the events of a run': jsonWithin('run', 'events.jsonl', resume),
};

/** What is wrong with the outcome of a command; null where it is as it should be. */
function wrong({ status, said, peak }: Awaited<ReturnType<HostileChild['run']>>, also: readonly number[]) {
  if (status === null) return said;
  if (peak > mostMemory) return `it took ${(peak / 1e6).toFixed(0)} MB`;
  if (/This is a bug|\n\s+at .*:\d+/.test(said)) return `a stack trace: ${said.slice(0, 400)}`;
  if (status === 0) return null;
  if (status !== 2 && !also.includes(status)) return `exit code ${status}: ${said.slice(0, 400)}`;
  if (!/^satin: .{10,}/m.test(said)) return `no sentence: ${said.slice(0, 200)}`;
  return said.length > 6000 ? `a message of ${said.length} characters` : null;
}

describe('a hostile file is refused with a sentence', () => {
  for (const [name, format] of Object.entries(formats))
    it(`of ${name}`, async (context) => {
      const {
        seeds,
        madeUp,
        isText = false,
        isRefusedAnyway = false,
        path,
        words,
        alsoEndsWith = [],
      } = format;
      const child = new HostileChild();
      mkdirSync(dirname(path), { recursive: true });
      const below = random(name.length);
      const found = new Map<string, string>();
      const seen = { 0: 0, 1: 0, 2: 0 } as Record<number, number>;
      let slowest = 0;
      try {
        // What is damaged below would be read to its end.
        writeFileSync(path, seeds[0]!);
        rmSync(out, { recursive: true, force: true });
        // A report measures the run first, and keeps what it found.
        const right = await child.run(words, 60);
        if (!isRefusedAnyway) assert.equal(right.status, 0, right.said);
        for (let at = 0; at < counts.mutants + counts.madeUp; at++) {
          const bytes =
            at < counts.mutants ? mutant(seeds[at % seeds.length]!, { below, isText }) : madeUp(below);
          writeFileSync(path, bytes);
          rmSync(out, { recursive: true, force: true });
          const outcome = await child.run(words);
          slowest = Math.max(slowest, outcome.seconds);
          if (outcome.status !== null) seen[outcome.status] = (seen[outcome.status] ?? 0) + 1;
          const what = wrong(outcome, alsoEndsWith);
          if (what === null) continue;
          failures += 1;
          const kind = what.replaceAll(/\d+|\/\S+/g, '#').slice(0, 120);
          const kept = place(`failed-${name.replaceAll(/\W+/g, '-')}-${at}`);
          writeFileSync(kept, bytes);
          if (!found.has(kind)) found.set(kind, `${kept} (${bytes.length} bytes): ${what}`);
          if (outcome.peak > mostMemory) await child.renew();
        }
      } finally {
        child.close();
      }
      context.diagnostic(
        `${counts.mutants + counts.madeUp} files: ${seen[0]} taken, ${(seen[2] ?? 0) + (seen[1] ?? 0)} refused; the slowest ${slowest.toFixed(1)} s`,
      );
      assert.deepEqual([...found.values()], []);
    });
});
