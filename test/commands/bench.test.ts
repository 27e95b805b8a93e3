import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { commandLines } from '../support/command-lines.js';

const lines = commandLines();
after(() => lines.close());

// What it measures takes minutes and a quiet machine, so no test runs it.
it('satin bench refuses, before the engine is loaded, what it cannot measure', async () => {
  for (const [words, sentence] of [
    [['nothing'], /Allowed choices are train-step, attack-pass, attack-arithmetic, activations,/],
    [['pgd'], /Expected a run folder for --model/],
    [['imagenet-pipeline'], /Expected a folder of photographs for --photos/],
    [['image-cache'], /Expected a folder of photographs for --photos/],
    [['autoattack', '--model', 'a', '--reference', '/none'], /a checkout of auto-attack for --reference/],
    [['call', '--device', 'cuda'], /Expected cpu for --device but received 'cuda'. call measures the CPU/],
    [['call', '--share', '0'], /a number above 0 and at most 1 for --share/],
    [['call', '--json', '/none/a.json'], /a file in an existing folder for --json/],
  ] as const) {
    const { status, stderr, engineLoaded } = await lines.run(['bench', ...words]);
    assert.match(stderr, sentence);
    assert.deepEqual([status, engineLoaded], [2, false]);
  }
});
