/** One process writes a folder; the lock of one that has ended is taken over. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { removeAbandonedLock } from '../../src/files/lock.js';
import { resumeRunFolder } from '../../src/runs/run-folder.js';
import { create, recipe, refused } from '../support/run-folders.js';

// They mostly wait, each for a lock of its own.
describe('the lock of a run', { concurrency: true }, () => {
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

  const elsewhere = { pid: 1, host: 'elsewhere', started: 'boot/1', namespace: 'pid:[1]', beats: true };
  const leave = (name: string, owner: object) => {
    const { path, close } = create(name);
    close();
    const lock = join(path, 'lock');
    writeFileSync(lock, JSON.stringify(owner));
    return { path, lock };
  };

  it('of another machine is removed once it has given no sign of life for a while', async () => {
    const { path, lock } = leave('silent', elsewhere);
    await removeAbandonedLock(path, { seconds: 2 });
    assert.equal(existsSync(lock), false);
    resumeRunFolder({ path, recipe }).run.close();
  });

  it('of another machine stays where its holder gives signs of life, or is too old to give any', async () => {
    const { path, lock } = leave('beating', elsewhere);
    const timer = setInterval(() => utimesSync(lock, new Date(), new Date()), 500);
    await removeAbandonedLock(path, { seconds: 3 });
    clearInterval(timer);
    assert.throws(() => resumeRunFolder({ path, recipe }), refused(/on elsewhere does/));
    const { beats: _, namespace: __, ...old } = elsewhere;
    const { path: oldPath } = leave('old', old);
    await removeAbandonedLock(oldPath, { seconds: 0 });
    assert.throws(() => resumeRunFolder({ path: oldPath, recipe }), refused(/on elsewhere does/));
  });

  it('of another container of this machine is not looked up by its process id', async () => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const owner = { ...elsewhere, pid: process.pid, host: hostname(), started: `${boot}/1` };
    const { path, lock } = leave('container', owner);
    assert.throws(() => resumeRunFolder({ path, recipe }), refused(/process \d+ on/));
    await removeAbandonedLock(path, { seconds: 1 });
    assert.equal(existsSync(lock), false);
  });

  it('is not looked for where there is no folder', async () => {
    const { path, close } = create('none');
    close();
    await removeAbandonedLock(join(path, 'recipe.json'));
    await removeAbandonedLock(join(path, 'absent'));
  });

  it('is waited for until interrupted', async () => {
    const { path } = leave('interrupted', elsewhere);
    await assert.rejects(removeAbandonedLock(path, { interrupted: () => true }), /Interrupted while waiting/);
  });

  it('that another process took over is not released, and stops the first before its next checkpoint', () => {
    const { path, requireLock, close } = create('fenced');
    requireLock();
    const other = JSON.stringify(elsewhere);
    writeFileSync(join(path, 'lock'), other);
    assert.throws(requireLock, /Expected this process to hold the lock .* another process took it over/);
    close();
    assert.equal(readFileSync(join(path, 'lock'), 'utf8'), other);
  });

  it('goes to exactly one of several processes', async () => {
    const { path, close } = create('race');
    close();
    const dead = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => dead.once('close', resolve));
    writeFileSync(join(path, 'lock'), JSON.stringify({ pid: dead.pid, host: hostname(), started: 'x/1' }));
    const program = `
      import { acquireLock } from '${new URL('../../src/files/lock.js', import.meta.url)}';
      while (Date.now() < Number(process.argv[1])) {}
      try { acquireLock(${JSON.stringify(path)}); console.log('got'); } catch (error) { console.log(error.code); }
      setInterval(() => {}, 1000);`;
    const at = String(Date.now() + 800);
    const racers = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', program, at]),
    );
    // Whoever has the lock lives until all have said what they got.
    const said = await Promise.all(
      racers.map(
        ({ stdout }) =>
          new Promise<string>((resolve) =>
            stdout.setEncoding('utf8').once('data', (text) => resolve(text.trim())),
          ),
      ),
    );
    for (const racer of racers) racer.kill('SIGKILL');
    assert.deepEqual(said.sort(), ['got', 'run-locked', 'run-locked', 'run-locked']);
  });
});
