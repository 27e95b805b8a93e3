import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { satin } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-quickstart-'));
after(() => rmSync(folder, { recursive: true }));
const quickstart = (...words: readonly string[]) =>
  satin('quickstart', '--smoke', '--threads', '1', '--out', join(folder, 'small'), ...words);
const hasData = existsSync('/usr/share/datasets/fashion-mnist');

describe('the small quickstart', {
  skip: !hasData && 'the package dataset-fashion-mnist is not here',
}, () => {
  it('leaves a summary and a report, and says what one seed does not show', () => {
    const { status, stdout, stderr } = quickstart();
    assert.equal(status, 0, stderr);
    const summary = JSON.parse(readFileSync(join(folder, 'small', 'summary.json'), 'utf8'));
    assert.deepEqual(Object.keys(summary), ['seconds', 'report', 'networks']);
    assert.deepEqual(
      summary.networks.map((network: { activation: string; attacks: string[]; examples: number }) => [
        network.activation,
        network.attacks,
        network.examples,
      ]),
      [
        ['relu', ['apgd-ce', 'apgd-dlr'], 50],
        ['silu', ['apgd-ce', 'apgd-dlr'], 50],
      ],
    );
    assert.ok(existsSync(summary.report));
    assert.match(stdout, /a single seed: this demonstrates the method and is no evidence for an activation/);
  });

  it('tells its numbers again, and refuses another seed in the same folder', () => {
    const again = quickstart();
    assert.equal(again.status, 0);
    assert.match(again.stdout, /already finished/);
    const other = quickstart('--seed', '1');
    assert.equal(other.status, 2);
    assert.match(other.stderr, /^satin: Expected training\.seed = 0, with [^\n]* but received 1\. [^\n]*\n$/);
    const path = join(folder, 'small', 'summary.json');
    truncateSync(path, readFileSync(path).length >> 1);
    const cut = quickstart();
    assert.deepEqual([cut.status, cut.stdout], [2, '']);
    assert.match(cut.stderr, /satin: Expected a summary in JSON for [^\n]* Remove it: [^\n]*\n$/);
  });
});

describe('the small quickstart on CIFAR-10', () => {
  it('refuses a folder without it before anything is trained', () => {
    const out = join(folder, 'nothing');
    const words = ['--data', 'cifar10', '--data-dir', join(folder, 'nowhere'), '--smoke', '--threads', '1'];
    const { status, stderr } = satin('quickstart', ...words, '--out', out);
    assert.equal(status, 2);
    assert.match(stderr, /nowhere/);
    assert.ok(!existsSync(join(out, 'relu')));
  });
});
