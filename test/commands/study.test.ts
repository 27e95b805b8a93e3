/** `satin study` as typed: the list, a name that is not known, and the smoke variant of one. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { studies } from '../../studies/catalogue.js';
import { satin } from '../support/tiny-run.js';

describe('satin study', () => {
  it('lists the studies', () => {
    const { status, stdout } = satin('study');
    assert.equal(status, 0);
    for (const { name, question } of studies)
      assert.match(stdout, new RegExp(`^${name}\n  ${question.slice(0, 20)}`, 'm'));
  });

  it('asks whether the nearest was meant, and begins nothing', () => {
    const { status, stderr } = satin('study', 'activatons', '--out', 'never');
    assert.equal(status, 2);
    assert.match(stderr, /Did you mean 'activations'\?/);
    assert.ok(!existsSync('never'));
  });

  it('refuses a scale that there is none of', () => {
    const { status, stderr } = satin('study', 'activations', '--scale', 'moon');
    assert.equal(status, 2);
    assert.match(stderr, /fashion/);
  });
});
