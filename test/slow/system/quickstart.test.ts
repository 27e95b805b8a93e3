/** The quickstart on CIFAR-10, whose files have one size only: 184 MB are written. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { satin } from '../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-quickstart-cifar-'));
after(() => rmSync(folder, { recursive: true }));

describe('the small quickstart on CIFAR-10', () => {
  it('trains on the photographs of a folder, and refuses another folder afterwards', () => {
    const data = join(folder, 'cifar');
    writeTinyCifar(data);
    const out = join(folder, 'natural');
    const natural = (from: string) =>
      satin(
        ...['quickstart', '--data', 'cifar10', '--data-dir', from, '--smoke', '--threads', '1', '--out', out],
      );
    const { status, stdout, stderr } = natural(data);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /silu .*under apgd-ce and apgd-dlr at ε = 8\/255.*50 test images/);
    assert.match(readFileSync(join(out, 'report.html'), 'utf8'), /Quickstart: ReLU and SiLU on CIFAR-10/);
    const other = natural(join(folder, 'elsewhere'));
    assert.equal(other.status, 2);
    assert.match(other.stderr, /^satin: Expected data\.dir = [^\n]+ but received [^\n]*elsewhere[^\n]*\n$/);
  });
});

/** Six batches of CIFAR-10's binary form of 10,000 noisy images each, as bright as their class. */
function writeTinyCifar(path: string): void {
  mkdirSync(path, { recursive: true });
  writeFileSync(
    join(path, 'batches.meta.txt'),
    Array.from({ length: 10 }, (_, label) => `kind ${label}\n`).join(''),
  );
  const names = [
    'data_batch_1',
    'data_batch_2',
    'data_batch_3',
    'data_batch_4',
    'data_batch_5',
    'test_batch',
  ];
  let state = 1;
  for (const name of names) {
    const bytes = Buffer.alloc(10_000 * 3073);
    for (let image = 0; image < 10_000; image++) {
      const label = image % 10;
      bytes[image * 3073] = label;
      for (let at = 1; at < 3073; at++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        bytes[image * 3073 + at] = label * 20 + (state >>> 26);
      }
    }
    writeFileSync(join(path, `${name}.bin`), bytes);
  }
}
