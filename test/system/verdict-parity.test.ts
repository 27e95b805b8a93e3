/** The committed verdicts of Satin and of the reference implementation of AutoAttack agree, and the docs show them as they are. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

it("Satin's verdicts agree with the reference's, and docs/autoattack.md has their table", () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts', 'parity', 'table.mjs'), '--check'],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
});
