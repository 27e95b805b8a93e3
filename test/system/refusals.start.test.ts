/** A refusal by the program itself, and how soon it comes: alone, since it is timed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { assertOneSentence } from '../support/assert-one-sentence.js';
import { mainFile, satin, tinyRecipe, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-refusals-start-'));
after(() => rmSync(folder, { recursive: true }));

const place = (...names: string[]) => join(folder, ...names);
writeTinyMnist(place('mnist'));
writeFileSync(place('tiny.yaml'), JSON.stringify(tinyRecipe(place('mnist'))));
const trained = satin('train', place('tiny.yaml'), '--set', 'training.epochs=1', '--out', place('run'));
assert.equal(trained.status, 0, trained.stderr);

describe('the program itself', () => {
  const refusals: readonly (readonly string[])[] = [
    ['train', place('tiny.yaml'), '--set', 'training.epoch=3'],
    ['evaluate', place('run'), '--epsilon', '8'],
    ['predict', place('run'), place('no.png')],
  ];

  it('ends with 2 and one sentence', () => {
    for (const words of refusals) {
      const { status, stdout, stderr } = satin(...words);
      assertOneSentence(stderr);
      assert.deepEqual([status, stdout], [2, ''], stderr);
    }
  });

  it('refuses, and shows the help of a command, in under 0.3 s', (context) => {
    // The fastest of at most five of each, and more where the machine is so busy that Node alone takes long.
    const seconds = (words: readonly string[]) => {
      const began = performance.now();
      spawnSync(process.execPath, words);
      return (performance.now() - began) / 1000;
    };
    const lines = [...refusals, ['train', '--help']];
    const promised = 0.3;
    const fastest = lines.map(() => Number.POSITIVE_INFINITY);
    let node = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round++) {
      node = Math.min(node, seconds(['-e', '0']));
      lines.forEach((words, index) => {
        if (fastest[index]! >= promised)
          fastest[index] = Math.min(fastest[index]!, seconds([mainFile, ...words]));
      });
    }
    const limit = Math.max(promised, 6 * node);
    context.diagnostic(
      `${fastest.map((time) => time.toFixed(3)).join(', ')} s; Node alone ${node.toFixed(3)} s`,
    );
    lines.forEach((words, index) => {
      assert.ok(fastest[index]! < limit, `${words.join(' ')} took ${fastest[index]!.toFixed(3)} s`);
    });
  });
});
