/** One of several processes: prints what it finds with the others. */
import { withProcessGroup } from '../../src/distributed/init-process-group.js';
import { readLauncherEnvironment } from '../../src/distributed/launcher-environment.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { sumsOf } from './rank-sums.js';

const launch = readLauncherEnvironment(process.env);
if (launch === null) throw new Error('Expected to be one of several ranks.');
setThreads(1);
await withProcessGroup(launch, { device: 'cpu' }, async (group) => {
  const { rank, size } = group;
  const sums = sumsOf({
    rank,
    size,
    sum: (numbers) => group.allReduce(numbers),
    average: (tensors) => group.allReduceMean_(tensors),
  });
  process.stdout.write(JSON.stringify(sums));
});
