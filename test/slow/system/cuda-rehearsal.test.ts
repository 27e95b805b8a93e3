/** The tests for a card pass on the mock device: they are run on a card so seldom that nobody else would notice. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../cuda/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.test.js'));

describe('the rehearsal of a card', () => {
  it('has tests', () => assert.ok(files.length >= 5, `${files.length} files`));

  for (const file of files)
    it(file, () => {
      // Within a test runner another one would report to it.
      const { NODE_TEST_CONTEXT: _, ...rest } = process.env;
      const env = { ...rest, SATIN_TEST_DEVICE: 'mock' };
      const { status, stdout } = spawnSync(process.execPath, ['--test', join(folder, file)], {
        encoding: 'utf8',
        env,
      });
      assert.equal(status, 0, stdout);
      assert.match(stdout, /^(# |ℹ )pass [1-9]/m);
    });
});
