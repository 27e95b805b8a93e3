import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporary, wholeRun, writeRun } from '../support/served-folder.js';
import { mainFile, satin } from '../support/tiny-run.js';

describe('satin serve', () => {
  it('prints its address, answers there, and ends without a failure at Ctrl-C', async () => {
    const folder = temporary();
    writeRun(join(folder, 'a'), wholeRun);
    const program = spawn(process.execPath, [mainFile, 'serve', folder, '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = await once(program.stdout, 'data');
    const [, url] = /Open (http:\/\/127\.0\.0\.1:\d+\/) in a browser/.exec(String(said)) ?? [];
    assert.ok(url !== undefined, String(said));
    assert.match(await (await fetch(`${url}api/runs`)).text(), /"id":"a"/);
    program.kill('SIGINT');
    assert.deepEqual(await once(program, 'exit'), [0, null]);
  });

  it('refuses a folder that is not there, and a port that is none', () => {
    const { status, stderr } = satin('serve', join(temporary(), 'none'));
    assert.equal(status, 2);
    assert.match(stderr, /Expected an existing folder/);
    assert.match(satin('serve', '--port', '70000').stderr, /Expected a port up to 65535 for --port/);
  });
});
