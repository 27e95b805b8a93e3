/** A lock file: two concurrent setups in one folder would corrupt each other's files. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `action` while holding the lock; waits if another process on this machine holds it.
 * The lock of a killed process is taken over.
 * @param {{ lockFile: string, onWait: (pid: number) => void, action: () => Promise<void> }} options
 */
export async function oneAtATime({ lockFile, onWait, action }) {
  mkdirSync(dirname(lockFile), { recursive: true });
  let told = false;
  while (!take(lockFile)) {
    const holder = Number(existsSync(lockFile) ? readFileSync(lockFile, 'utf8') : 0);
    if (holder > 0 && !isRunning(holder)) rmSync(lockFile, { force: true });
    else {
      if (!told && holder > 0) onWait(holder);
      told ||= holder > 0;
      await sleep(500);
    }
  }
  try {
    await action();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function take(lockFile) {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
