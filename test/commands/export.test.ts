import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readStateDict } from '../../src/weights/state-dict.js';
import { satin } from '../support/tiny-run.js';

const temporary = mkdtempSync(join(tmpdir(), 'satin-export-'));
after(() => rmSync(temporary, { recursive: true }));

describe('satin export --format torchscript', () => {
  it('writes it, says how close it is, and is refused for TorchScript and an existing file', () => {
    const tiny = new URL('../../../test/golden/state-dicts/tiny.safetensors', import.meta.url).pathname;
    const out = join(temporary, 'command.pt');
    const first = satin('export', tiny, '--format', 'torchscript', '--out', out);
    assert.equal(first.status, 0, first.stderr);
    assert.match(
      first.stdout,
      /Wrote .*command\.pt\.\nThe loaded file differs from the model by \d\.\de[+-]\d+ of the largest logit\.\n/,
    );
    const again = satin(
      'export',
      out,
      '--format',
      'safetensors',
      '--out',
      join(temporary, 'again.safetensors'),
    );
    assert.equal(again.status, 2);
    assert.match(again.stderr, /It is already TorchScript/);
    assert.throws(() => readStateDict(out), /pickle references __torch__\.Satin/);
  });
});
