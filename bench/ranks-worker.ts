/** One rank of `satin bench ranks`: reads a number of steps per line, runs them, and prints the seconds. */
import { createInterface } from 'node:readline';
import { withProcessGroup } from '../src/distributed/init-process-group.js';
import { readLauncherEnvironment } from '../src/distributed/launcher-environment.js';
import { setThreads } from '../src/engine/engine-info.js';
import { SatinStep } from './step.js';

const launch = readLauncherEnvironment(process.env);
if (launch === null) throw new Error('Expected the environment of a launcher with several ranks.');
setThreads(1);
await withProcessGroup(launch, { device: 'cpu' }, async (group) => {
  using step = new SatinStep(16, 'silu', { group, ghost: process.argv[2] === 'ghost' });
  for await (const line of createInterface({ input: process.stdin }))
    process.stdout.write(`${step.run(Number(line))}\n`);
});
