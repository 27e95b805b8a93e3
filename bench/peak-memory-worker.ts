/**
 * Takes some training steps in a process of its own and prints its peak of resident memory, in MB above what was resident
 * when the engine was loaded and no network made: `peak-memory-worker.js WIDTH ACTIVATION`.
 */
import { readFileSync } from 'node:fs';
import { engineInfo } from '../src/engine/engine-info.js';
import { memorySteps } from './peak-memory.js';
import { SatinStep } from './step.js';

/** A line of the kernel's account of this process, in MB. */
function account(name: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return (Number(line?.[1]) * 1024) / 1e6;
}

engineInfo(); // loads the engine
const idle = account('VmRSS');
using step = new SatinStep(Number(process.argv[2]), String(process.argv[3]));
step.run(memorySteps);
process.stdout.write(`${account('VmHWM') - idle}\n`);
