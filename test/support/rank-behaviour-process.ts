/** One of two processes that do not do the same, as the first argument says; each prints what came of it. */
import { appendFileSync } from 'node:fs';
import { withoutTermination } from '../../src/distributed/collectives.js';
import { withProcessGroup } from '../../src/distributed/init-process-group.js';
import { readLauncherEnvironment } from '../../src/distributed/launcher-environment.js';
import type { ProcessGroup } from '../../src/distributed/process-group.js';
import { integers } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';

const launch = readLauncherEnvironment(process.env);
if (launch === null) throw new Error('Expected to be one of several ranks.');
const [, , behaviour = '', path = ''] = process.argv;

/** Blocks the main thread, as a long training step does, for some seconds. */
const compute = (seconds: number) =>
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);

/** A file that takes seconds to write. */
const write = (seconds: number) => {
  appendFileSync(path, 'begun ');
  compute(seconds);
  appendFileSync(path, 'done');
};

const behaviours: Readonly<Record<string, (group: ProcessGroup) => void>> = {
  'another operation'(group) {
    if (group.rank === 0) group.allReduce(new Array<number>(5000).fill(1));
    else scope(() => group.broadcast_([integers([1, 2])]));
  },
  'another length'(group) {
    group.allReduce(new Array<number>(3 + group.rank).fill(1));
  },
  'another length, often'(group) {
    for (let step = 0; step < 4000; step++) {
      group.allReduce(new Array<number>(3 + group.rank).fill(1));
      compute(0.01);
    }
  },
  'one operation less'(group) {
    if (group.rank === 0) scope(() => group.broadcast_([integers([1])]));
    for (let step = 0; step < 3; step++) group.allReduce([1, 2]);
  },
  'an early end'(group) {
    if (group.rank === 0) group.allReduce([1]);
  },
  slow(group) {
    // More than twice as long as a lost rank is waited for, between operations that come soon.
    for (let step = 0; step < 3; step++) {
      if (group.rank === 1) compute(step === 1 ? 4.5 : 0.2);
      const [sum] = group.allReduce([group.rank + 1]);
      process.stdout.write(`${sum} `);
    }
  },
  'an error'(group) {
    if (group.rank === 1) throw new Error('it went wrong');
    group.allReduce([1]);
  },
  'a write that is held'(group) {
    if (group.rank === 1) process.kill(process.pid, 'SIGKILL');
    withoutTermination(() => write(22));
    group.allReduce([1]);
  },
  'a write that is not held'(group) {
    if (group.rank === 1) process.kill(process.pid, 'SIGKILL');
    write(30);
  },
};

try {
  await withProcessGroup(launch, { device: 'cpu' }, async (group) => behaviours[behaviour]?.(group));
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
