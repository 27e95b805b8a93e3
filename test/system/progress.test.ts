/** On a terminal every command that may last says how far it is: by a bar, on standard error alone. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import sharp from 'sharp';
import { commands } from '../../src/cli/commands/commands.js';
import { commandLines } from '../support/command-lines.js';
import { satin, tinyRecipe, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-progress-'));
after(() => rmSync(folder, { recursive: true }));
const place = (...names: readonly string[]) => join(folder, ...names);
const lines = commandLines({ isTerminal: true });
after(() => lines.close());

writeTinyMnist(place('mnist'));
writeFileSync(place('tiny.yaml'), JSON.stringify(tinyRecipe(place('mnist'))));
const pictures: string[] = [];
for (const name of ['cat', 'dog']) {
  mkdirSync(place('photos', name), { recursive: true });
  for (let at = 0; at < 10; at++) {
    const file = place('photos', name, `${at}.png`);
    const background = { r: 12 * at, g: name === 'cat' ? 200 : 30, b: 90 };
    await sharp({ create: { width: 9, height: 9, channels: 3, background } })
      .png()
      .toFile(file);
    pictures.push(file);
  }
}

const [run, kept] = [place('run'), place('kept')];
const threat = ['--norm', 'linf', '--epsilon', '0.1'];
const exported = (name: string, ...words: readonly string[]) =>
  ['export', run, '--out', place(name), '--format', ...words] as const;

/** Command lines, in this order, and the stages whose bars they show. */
const shown: readonly (readonly [words: readonly string[], stages: readonly string[]])[] = [
  [['init', place('photos'), '--out', place('photos.yaml')], ['look at images']],
  [
    ['train', place('tiny.yaml'), '--out', run],
    ['epoch 1/3', 'validation clean', 'validation pgd-2'],
  ],
  [
    ['evaluate', run, '--attack', 'fgsm', '--examples', '16', '--save-adversarial', kept],
    ['clean', 'fgsm'],
  ],
  [['verify', kept], ['classify']],
  [
    ['predict', run, ...pictures],
    ['decode', 'classify'],
  ],
  [
    ['attack', run, ...pictures, '--attack', 'pgd-2', ...threat, '--out', place('attacked')],
    ['decode', 'pgd-2', 'write pictures'],
  ],
  [['report', run, '--examples', '16', '--attack', 'fgsm'], ['fgsm']],
  [
    ['demo', run, run, ...threat, '--examples', '5', '--out', place('demo')],
    ['load the weights', 'record the network', 'encode the network', 'write the images'],
  ],
  [['plan', place('tiny.yaml')], ['time steps']],
  [exported('run.safetensors', 'safetensors'), ['load the weights', 'write the file']],
  [
    exported('run.pt', 'torchscript'),
    ['load the weights', 'trace the network', 'write the file', 'compare the file with the model'],
  ],
  [
    exported('run.onnx', 'onnx', '--input-gradient', 'margin'),
    ['load the weights', 'record the network', 'encode the network', 'write the file'],
  ],
  [
    ['publish', run, '--to', 'huggingface', '--out', place('hub')],
    ['load the weights', 'write the weights', 'trace the network', 'compare the file with the model'],
  ],
];

/** Commands that are done at once, or show their progress on a page. */
const quick = ['list', 'serve', 'doctor', 'completion'];
/** Commands whose bars are those of the training and the evaluations that they consist of. */
const composed = ['quickstart', 'study', 'bench'];

it('no command is left out', () => {
  const named = [...shown.map(([words]) => words[0]!), ...quick, ...composed];
  assert.deepEqual([...new Set(named)].sort(), Object.keys(commands).sort());
});

for (const [words, stages] of shown)
  it(`satin ${words[0]} ${words[0] === 'export' ? words.at(words.indexOf('--format') + 1) : ''}`, async () => {
    const { status, stdout, stderr } = await lines.run(words);
    assert.equal(status, 0, stderr);
    for (const stage of stages) assert.match(stderr, new RegExp(`${stage}[^%█░]* [█░]+ +\\d+%`), words[0]);
    assert.doesNotMatch(stdout, /[█░]/);
  });

it('nothing is said of a quick export without a terminal', () => {
  const { status, stderr } = satin(...exported('again.safetensors', 'safetensors'));
  assert.deepEqual([status, stderr], [0, '']);
});
