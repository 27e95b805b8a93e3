/** What the table of activations says of their derivatives is so, and what is made from the table is up to date. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { derivative } from '../../src/activations/activation.js';
import { activationNames, parseActivation } from '../../src/activations/parse.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { child } from '../support/child.js';

setThreads(1);
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** f′ in float64. */
const slopes = (name: string, at: readonly number[]) =>
  scope(() => derivative(parseActivation(name), tensor(Float64Array.from(at), [at.length])).numbers());

/** f″ from f′ on short pieces that begin at `at`. */
function curvatures(name: string, at: readonly number[], length: number): number[] {
  const [left, right] = [
    slopes(name, at),
    slopes(
      name,
      at.map((x) => x + length),
    ),
  ];
  return at.map((_, index) => (right[index]! - left[index]!) / length);
}

const all = [
  ...activationNames,
  ...['leaky-relu(0.3)', 'softplus(10)', 'softplus(0.5)', 'parametric-softplus(3)', 'elu(0.5)', 'elu(2)'],
  ...['celu(0.5)', 'celu(4)', 'smooth-relu(5)', 'psilu(3)'],
];

describe('the table of activations', () => {
  for (const name of all) {
    const { curvature, smoothness } = parseActivation(name);
    /** The scale on which the slope changes. */
    const unit = Number.isFinite(curvature) ? Math.min(1, 1 / curvature) : 1;
    const jump = (size: number) => {
      const [below = Number.NaN, above = Number.NaN] = slopes(name, [-size, size]);
      return Math.abs(above - below);
    };

    it(`says of ${name} whether f′ jumps (${smoothness})`, () => {
      if (smoothness === 'C⁰') assert.ok(jump(1e-12) > 0.1, `${jump(1e-12)}`);
      else for (const size of [1e-6, 1e-9, 1e-12]) assert.ok(jump(size * unit) <= 3 * size, `${jump(size)}`);
    });

    if (smoothness === 'C⁰') {
      it(`says of ${name} that |f″| has no bound`, () => {
        assert.equal(curvature, Number.POSITIVE_INFINITY);
      });
      continue;
    }

    it(`says of ${name} whether f″ jumps (${smoothness})`, () => {
      const piece = 1e-6 * unit;
      const [below = Number.NaN, above = Number.NaN] = curvatures(name, [-piece, 0], piece);
      const difference = Math.abs(above - below) / curvature;
      assert.equal(difference > 0.5, smoothness === 'C¹', `${below} and ${above}`);
    });

    it(`says of ${name} what the largest |f″| is (${curvature})`, () => {
      // pieces that begin at 0 and end there, and others
      const at = Array.from({ length: 4001 }, (_, index) => (index - 2000) * 0.005 * unit);
      const piece = 1e-6 * unit;
      const found = curvatures(name, [...at, -piece], piece).map(Math.abs);
      const largest = Math.max(...found);
      assert.ok(Math.abs(largest - curvature) <= 1e-4 * curvature, `${largest}`);
    });
  }
});

describe('docs/activations.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'satin-activations-'));
  after(() => rmSync(folder, { recursive: true }));
  const files = ['activations.md', 'activations-light.svg', 'activations-dark.svg'];
  mkdirSync(join(folder, 'docs'));
  cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true });
  for (const file of files) cpSync(join(root, 'docs', file), join(folder, 'docs', file));
  for (const name of ['dist', 'node_modules', 'package.json'])
    symlinkSync(join(root, name), join(folder, name));
  const page = join(folder, 'docs', 'activations.md');

  it('has the table and the figures that npm run docs makes, to the byte', () => {
    writeFileSync(page, readFileSync(page, 'utf8').replace('x·σ(x)', 'x'));
    rmSync(join(folder, 'docs', 'activations-dark.svg'));
    const script = join(folder, 'scripts', 'activations-page.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^docs\/activations\.md: .*\ndocs\/activations-dark\.svg: .*\n$/);
    for (const file of files)
      assert.deepEqual(
        readFileSync(join(folder, 'docs', file)),
        readFileSync(join(root, 'docs', file)),
        file,
      );
  });
});

describe('satin train --help', () => {
  it('lists every activation with its formula below the options, within 100 columns, without the engine', () => {
    const { output, errors } = child(
      {
        'src/cli/commands/commands.js': 'commands',
        'src/cli/program.js': 'runProgram',
        'src/engine/native.js': 'isLoaded',
      },
      `await runProgram(['train', '--help'], commands);
      console.log('loaded:', isLoaded());`,
    );
    assert.equal(errors, '');
    assert.match(output, /\nloaded: false\n$/);
    const lines = output.split('\n');
    const options = lines.indexOf('Options:');
    for (const name of activationNames) {
      const index = lines.findIndex((line) => line.startsWith(`  ${name} `));
      assert.ok(index > options && options > 0, name);
      assert.ok(lines[index]!.includes(parseActivation(name).formula), lines[index]);
    }
    for (const line of lines) assert.ok(line.length <= 100, line);
  });
});
