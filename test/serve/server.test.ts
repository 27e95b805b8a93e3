import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { InputError } from '../../src/errors.js';
import { readPageFiles } from '../../src/serve/page-files.js';
import { startServer } from '../../src/serve/server.js';
import { temporary, wholeRun, writeRun } from '../support/served-folder.js';

const onBug = (error: unknown) => assert.fail(String(error));

describe('the server', () => {
  it('serves the built page and the runs of a folder on loopback', async () => {
    const folder = temporary();
    writeRun(join(folder, 'a'), wholeRun);
    const server = await startServer({ folder, port: 0, onBug });
    try {
      assert.equal(server.url, `http://127.0.0.1:${server.port}/`);
      const text = await (await fetch(server.url)).text();
      const script = /src="(\/assets\/[^"]+\.js)"/.exec(text)?.[1];
      assert.ok(script !== undefined, text);
      assert.equal((await fetch(new URL(script, server.url))).status, 200);
      assert.match(await (await fetch(`${server.url}api/runs`)).text(), /"id":"a"/);
      await assert.rejects(
        startServer({ folder, port: server.port, onBug }),
        (error) => error instanceof InputError && /free port/.test(error.message),
      );
    } finally {
      await server.close();
    }
  });

  it('asks for a token where it is bound elsewhere', async () => {
    const server = await startServer({ folder: temporary(), port: 0, host: '0.0.0.0', onBug });
    try {
      const token = new URL(server.url).searchParams.get('token');
      assert.match(token ?? '', /^[\w-]{32}$/);
      const here = `http://127.0.0.1:${server.port}`;
      assert.equal((await fetch(`${here}/api/runs`)).status, 401);
      const answer = await fetch(`${here}/?token=${token}`, { redirect: 'manual' });
      assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/']);
      const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
      assert.equal((await fetch(`${here}/api/runs`, { headers: { cookie } })).status, 200);
    } finally {
      await server.close();
    }
  });

  it('refuses a folder that is not there, and a page that is not built', async () => {
    await assert.rejects(startServer({ folder: '/nowhere', port: 0, onBug }), /existing folder/);
    assert.throws(() => readPageFiles(temporary()), /npm run build/);
  });
});
