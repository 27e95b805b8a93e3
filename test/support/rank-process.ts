/** One of several processes: does the jobs of its first argument with the others, and rank 0 prints what came of them. */
import { withProcessGroup } from '../../src/distributed/init-process-group.js';
import { readLauncherEnvironment } from '../../src/distributed/launcher-environment.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { type Job, outcomeOf } from './rank-jobs.js';

const launch = readLauncherEnvironment(process.env);
if (launch === null) throw new Error('Expected to be one of several ranks.');
const jobs = JSON.parse(process.argv[2] ?? '[]') as readonly Job[];
setThreads(1);
await withProcessGroup(launch, { device: 'cpu' }, async (group) => {
  const outcomes = [];
  for (const job of jobs) outcomes.push(await outcomeOf(job, group));
  if (group.rank === 0) process.stdout.write(JSON.stringify(outcomes));
});
