/** One process writes a folder; the lock of one that has ended is taken over. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { resumeRunFolder } from '../../src/runs/run-folder.js';
import { create, recipe, refused } from '../support/run-folders.js';

describe('the lock of a run', () => {
  it('keeps a second writer out until the first has ended', () => {
    const first = create('locked');
    assert.throws(() => resumeRunFolder({ path: first.path, recipe }), refused(/process \d+ on/));
    first.close();
    resumeRunFolder({ path: first.path, recipe }).run.close();
    assert.ok(!readdirSync(first.path).some((file) => file.startsWith('lock')));
  });

  it('keeps another process out, and is taken over when that was killed', async () => {
    const { path, close } = create('killed');
    close();
    const program = `
      import { acquireLock } from '${new URL('../../src/files/lock.js', import.meta.url)}';
      acquireLock(${JSON.stringify(path)});
      console.log('locked');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    assert.throws(() => resumeRunFolder({ path, recipe }), refused(new RegExp(`process ${child.pid} on`)));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    resumeRunFolder({ path, recipe }).run.close();
  });

  it('of a process whose number was given again is taken over', () => {
    const { path, close } = create('reused');
    close();
    const owner = { pid: process.pid, host: hostname(), started: 'another-boot/1' };
    writeFileSync(join(path, 'lock'), JSON.stringify(owner));
    resumeRunFolder({ path, recipe }).run.close();
  });

  it('of another machine is respected, and the sentence says how to mend it', () => {
    const { path, close } = create('elsewhere');
    close();
    writeFileSync(join(path, 'lock'), JSON.stringify({ pid: 1, host: 'elsewhere', started: '' }));
    assert.throws(
      () => resumeRunFolder({ path, recipe }),
      refused(/on elsewhere does\. If it has terminated, remove/),
    );
  });

  it('goes to exactly one of several processes', () => {
    const { path, close } = create('race');
    close();
    const dead = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(join(path, 'lock'), JSON.stringify({ pid: dead.pid, host: hostname(), started: 'x/1' }));
    const program = `
      import { spawn } from 'node:child_process';
      const one = \`import('${new URL('../../src/files/lock.js', import.meta.url)}').then(({ acquireLock }) => {
        while (Date.now() < Number(process.argv[1])) {}
        try { acquireLock(${JSON.stringify(path)}); console.log('got'); } catch (error) { console.log(error.code); }
        setTimeout(() => {}, 1500);
      });\`;
      const at = String(Date.now() + 800);
      for (let i = 0; i < 4; i++) spawn(process.execPath, ['-e', one, at], { stdio: 'inherit' });`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    assert.deepEqual(stdout.trim().split('\n').sort(), ['got', 'run-locked', 'run-locked', 'run-locked']);
  });
});
