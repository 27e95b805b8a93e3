/** What docs/models.md shows of the library is so. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);

it('the example of a function is the file that is compiled here, and runs', () => {
  const page = readFileSync(new URL('docs/models.md', root), 'utf8');
  const shown = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, body]) => body);
  assert.deepEqual(shown, [readFileSync(new URL('test/support/function-example.ts', root), 'utf8')]);
  const script = fileURLToPath(new URL('../support/function-example.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const [, clean, robust] = /^nearest pattern ([\d.]+) ([\d.]+)\n$/.exec(stdout) ?? [];
  assert.ok(Number(clean) > 0.3 && Number(robust) < Number(clean), stdout);
});
