import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { barLine } from '../../../src/cli/terminal/progress-bar.js';

describe('a bar', () => {
  const details = ['12m 05s left', 'loss 0.532', '12,345 img/s'];

  it('never fills the width, and drops details from the last where it is narrow', () => {
    for (let columns = 1; columns <= 130; columns++) {
      for (const done of [0, 1, 99, 100, 150]) {
        const line = barLine({ label: 'epoch 30/30', done, total: 100, details }, columns);
        assert.ok(line.length < columns, `${columns}: ${line}`);
      }
    }
    const at = (columns: number) => barLine({ label: 'epoch 3/30', done: 45, total: 100, details }, columns);
    assert.equal(at(120), `epoch 3/30 ${'█'.repeat(14)}${'░'.repeat(16)}  45%  ${details.join('  ')}`);
    assert.equal(at(60), `epoch 3/30 ${'█'.repeat(8)}${'░'.repeat(9)}  45%  12m 05s left  loss 0.532`);
    assert.equal(at(30), `epoch 3/30 ${'█'.repeat(6)}${'░'.repeat(7)}  45%`);
    assert.equal(at(20), 'epoch 3/30  45%');
  });

  it('of nothing is full', () => {
    assert.match(barLine({ label: 'a', done: 0, total: 0, details: [] }, 40), /100%/);
  });
});
