/** Weights of another program on the command line: brought here by export, measured by evaluate. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { openModel } from '../../src/app/model/open-model.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { Model } from '../../src/models/model.js';
import { tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { toArrays } from '../../src/weights/module-weights.js';
import { encodeSafetensors } from '../../src/weights/safetensors.js';
import { file, form } from '../support/foreign-weights.js';
import { idx, satin } from '../support/tiny-run.js';

setThreads(1);
const temporary = mkdtempSync(join(tmpdir(), 'satin-import-'));
after(() => rmSync(temporary, { recursive: true }));

describe('satin', () => {
  const images = Array.from({ length: 12 * 64 }, (_, at) => (at * 37) % 256);
  writeFileSync(join(temporary, 't10k-images-idx3-ubyte'), idx([12, 8, 8], images));
  writeFileSync(
    join(temporary, 't10k-labels-idx1-ubyte'),
    idx(
      [12],
      images.slice(0, 12).map((_, at) => at % 10),
    ),
  );
  const said = ['--architecture', 'resnet8', '--activation', 'relu', '--width', '0.0625'];
  const whole = [...said, '--classes', '3', '--shape', '3x8x8'];

  it('export brings weights here once, tells what it left out, and overwrites nothing', () => {
    const out = join(temporary, 'told.safetensors');
    const words = [file('wrapped.pt'), '--format', 'safetensors', '--out', out, ...whole];
    const first = satin('export', ...words);
    assert.equal(first.status, 0, first.stderr);
    assert.match(
      first.stdout,
      /Wrote .*told\.safetensors\.\nSkipped, not part of this network: epoch, arch, best, .* and 5 more\.\n/,
    );
    const second = satin('export', ...words);
    assert.equal(second.status, 2);
    assert.match(second.stderr, /a file that does not exist yet for --out/);
  });

  it('refuses what it cannot read, before the engine is loaded, and writes nothing', () => {
    const out = join(temporary, 'none.safetensors');
    const says = (words: readonly string[], sentence: RegExp) => {
      const { status, stderr } = satin(...words);
      assert.match(stderr, sentence);
      assert.equal(status, 2, stderr);
    };
    const write = ['--format', 'safetensors', '--out', out];
    says(['export', file('attack.pt'), ...write, ...whole], /pickle references posix\.system/);
    says(['export', file('tiny.pt'), ...write], /it holds weights without a network/);
    says(['export', file('tiny.pt'), '--format', 'caffe'], /caffe/);
    says(['predict', file('tiny.pt'), 'none.png'], /none\.png|weights without a network/);
    says(['train', 'fashion-mnist-silu', '--new-head'], /--init for --new-head/);
    assert.ok(!existsSync(out));
  });

  it('evaluate measures them as they are, and keeps an evaluation only of what says what it is', () => {
    const grey = join(temporary, 'grey.safetensors');
    using model = Model.create(
      { ...form, classes: [...'0123456789'], shape: [1, 8, 8], normalise: null },
      { seed: 3 },
    );
    writeFileSync(grey, encodeSafetensors(toArrays(model.network.state()), { format: 'pt' }));
    const common = [
      grey,
      ...said,
      '--classes',
      '10',
      '--shape',
      '1x8x8',
      '--data',
      'mnist',
      '--data-dir',
      temporary,
    ];
    const threat = ['--norm', 'linf', '--epsilon', '0.1', '--attack', 'fgsm', '--threads', '1'];
    const { status, stdout, stderr } = satin('evaluate', ...common, ...threat, '--json', '-');
    assert.equal(status, 0, stderr);
    const result = JSON.parse(stdout) as { examples: number; modelDigest: string };
    assert.equal(result.examples, 12);
    assert.match(result.modelDigest, /^sha256:/);
    const kept = satin('evaluate', ...common, ...threat, '--save-adversarial', join(temporary, 'kept'));
    assert.equal(kept.status, 2);
    assert.match(kept.stderr, /Describe it once: \.\/satin export/);
  });
});

describe('satin evaluate --expect', () => {
  const shape = [2, 3, 8, 8];
  const pixels = Float32Array.from({ length: 384 }, (_, at) => (at * 0.618) % 1);
  const from = (name: string, of: (logits: Float32Array) => Float32Array) => {
    const path = join(temporary, `${name}.safetensors`);
    using model = openModel(file('tiny.pt'), { external: form });
    const logits = Float32Array.from(scope(() => model.classify(tensor(pixels, shape))).numbers());
    const array = (key: string, values: Float32Array, axes: readonly number[]) =>
      ({ name: key, dtype: 'F32', shape: axes, bytes: new Uint8Array(values.buffer) }) as const;
    const arrays = [array('images', pixels, shape), array('logits', of(logits), [2, 3])];
    writeFileSync(path, encodeSafetensors(arrays));
    return path;
  };
  const photos = join(temporary, 'photos');
  before(async () => {
    for (const [label, name] of ['a', 'b', 'c'].entries()) {
      mkdirSync(join(photos, name), { recursive: true });
      for (let at = 0; at < 3; at++)
        await sharp(Buffer.alloc(192, 60 * label + at), { raw: { width: 8, height: 8, channels: 3 } })
          .png()
          .toFile(join(photos, name, `${at}.png`));
    }
  });
  const words = [file('tiny.pt'), '--architecture', 'resnet8', '--activation', 'relu', '--width', '0.0625'];
  const rest = [
    '--classes',
    'a,b,c',
    '--shape',
    '3x8x8',
    '--data',
    'folder',
    '--data-dir',
    photos,
    '--norm',
    'linf',
  ];
  const run = (...more: readonly string[]) =>
    satin('evaluate', ...words, ...rest, '--epsilon', '0.01', '--attack', 'fgsm', '--threads', '1', ...more);

  it('measures a network with those logits, refuses another, and without it says that nobody compared', () => {
    const same = run(
      '--expect',
      from('same', (logits) => logits),
      '--json',
      '-',
    );
    assert.equal(same.status, 0, same.stderr);
    const codes = (text: string) =>
      (JSON.parse(text) as { flags: { code: string }[] }).flags.map(({ code }) => code);
    assert.ok(!codes(same.stdout).includes('not-compared'));
    const none = run('--json', '-');
    assert.ok(codes(none.stdout).includes('not-compared'), none.stderr);
    const other = run(
      '--expect',
      from('other', (logits) => logits.map((each) => 1.01 * each)),
    );
    assert.equal(other.status, 2);
    assert.match(other.stderr, /it is another network/);
  });
});
