/** The models with a published robust accuracy against docs/known-answers.md, and the options that a name stands for. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readModelFile } from '../../src/app/model/read-model-file.js';
import { evaluateSettings } from '../../src/cli/evaluate-settings.js';
import { evaluationTable } from '../../src/cli/terminal/evaluation-table.js';
import { type KnownModel, knownDescription, knownModels, knownNames } from '../../src/models/known-models.js';
import { layerSummary } from '../../src/models/layer-summary.js';
import { encodeSafetensors } from '../../src/weights/safetensors.js';
import { tiny } from '../support/foreign-weights.js';
import { network } from '../support/report-input.js';

const temporary = mkdtempSync(join(tmpdir(), 'satin-known-'));
after(() => rmSync(temporary, { recursive: true }));
const weights = join(temporary, 'weights.safetensors');
writeFileSync(weights, encodeSafetensors(tiny.arrays, { format: 'pt' }));

describe('the known models', () => {
  it('have the published number of parameters', () => {
    // In millions: Zagoruyko and Komodakis (2016) for 28-10; the others by the papers that name them.
    const millions = { 'wideresnet28-10': 36.5, 'wideresnet34-10': 46.2, resnet18: 11.2, resnet50: 25.6 };
    for (const name of knownNames) {
      const { architecture }: KnownModel = knownModels[name];
      const expected = Object.entries(millions).find(([each]) => each === architecture)?.[1];
      const { parameters } = layerSummary(knownDescription(name));
      if (expected !== undefined) assert.equal((parameters / 1e6).toFixed(1), expected.toFixed(1), name);
    }
  });

  it('are those of the page, with its figures', () => {
    const page = readFileSync(new URL('../../../docs/known-answers.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(\S+)` \| .* \| ([\d.]+) \| ([\d.]+) \| +\| +\|$/gm)];
    assert.deepEqual(
      rows.map(([, name, clean, robust]) => [name, Number(clean), Number(robust)]),
      knownNames.map((name) => [name, knownModels[name].clean, knownModels[name].robust]),
    );
  });
});

describe('a name of a known model', () => {
  it('stands for its network and input, but not for the entry of a file', () => {
    const read = readModelFile(weights, { known: 'Wang2023Better_WRN-28-10' });
    assert.ok(read.kind === 'weights');
    const { architecture, padding, activation, shape } = read.description;
    assert.deepEqual(
      [architecture, padding, activation, shape],
      ['wideresnet28-10', 'same', 'silu', [3, 32, 32]],
    );
    assert.deepEqual(read.preprocessing?.normalise?.std, [0.2471, 0.2435, 0.2616]);
    assert.throws(
      () => readModelFile(weights, { known: 'Rice2020Overfitting', external: read.description }),
      /Expected no `external` for the known model Rice2020Overfitting/,
    );
  });

  it('stands for data, threat model and AutoAttack, unless they are stated', () => {
    const known = evaluateSettings(weights, { known: 'zhang2019theoretically' });
    assert.deepEqual(known.attacks, ['apgd-ce', 'apgd-t', 'fab-t', 'square']);
    assert.deepEqual([known.norm, known.epsilon.epsilonText], ['linf', '0.031']);
    const stated = evaluateSettings(weights, {
      known: 'Rice2020Overfitting_L2',
      epsilon: '0.25',
      attack: ['fgsm'],
    });
    assert.deepEqual([stated.norm, stated.epsilon.epsilonText, stated.attacks], ['l2', '0.25', ['fgsm']]);
    assert.throws(
      () => evaluateSettings(weights, { known: 'Rice2020Overfiting' }),
      /received 'Rice2020Overfiting'\. Did you mean 'Rice2020Overfitting'\?/,
    );
  });

  it('brings the published figures into the table, and whether these images agree with them', () => {
    const of = (clean: number, robust: number) => {
      const { evaluation } = network('ReLU', clean, robust);
      const perExample = Array.from({ length: 1000 }, (_, id) => ({
        id,
        label: 0,
        clean: id < clean * 1000,
        brokenBy: null,
      }));
      return { ...evaluation, perExample, epsilonText: '8/255' };
    };
    const table = (clean: number, robust: number, mode: 'standard' | 'custom' = 'standard') =>
      evaluationTable({ ...of(clean, robust), mode }, 'Rice2020Overfitting');
    assert.match(
      table(0.85, 0.53),
      /published {8}85\.34% clean, 53\.42% robust \(RobustBench, Rice2020Overfitting\)\nThe published figures lie in the intervals\./,
    );
    assert.match(table(0.85, 0.6), /lie outside the intervals, one or both\./);
    assert.match(table(0.8, 0.53), /lie outside the intervals, one or both\./);
    assert.match(table(0.85, 0.53, 'custom'), /not measured with AutoAttack's standard set at ε = 8\/255\./);
    assert.doesNotMatch(evaluationTable(of(0.85, 0.53)), /published/);
  });
});
