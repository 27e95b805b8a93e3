/** One rank of `satin bench ranks`: takes as many steps as each line says, and answers with the seconds. */
import { createInterface } from 'node:readline';
import { withProcessGroup } from '../src/distributed/init-process-group.js';
import { readLauncherEnvironment } from '../src/distributed/launcher-environment.js';
import { setThreads } from '../src/engine/engine-info.js';
import { SatinStep } from './step.js';

const launch = readLauncherEnvironment(process.env);
if (launch === null) throw new Error('Expected to be one of several ranks.');
setThreads(1);
await withProcessGroup(launch, { device: 'cpu' }, async (ranks) => {
  using step = new SatinStep(16, 'silu', { ranks, ghost: process.argv[2] === 'ghost' });
  for await (const line of createInterface({ input: process.stdin }))
    process.stdout.write(`${step.run(Number(line))}\n`);
});
