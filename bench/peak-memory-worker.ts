/**
 * Runs training steps in a separate process and prints the peak of its resident memory, in MB above the value after
 * loading the engine and before creating the network: `peak-memory-worker.js WIDTH ACTIVATION`.
 */
import { readFileSync } from 'node:fs';
import { engineInfo } from '../src/engine/engine-info.js';
import { memorySteps } from './peak-memory.js';
import { SatinStep } from './step.js';

/** A memory value of this process from /proc, in MB. */
function processMemory(name: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return (Number(line?.[1]) * 1024) / 1e6;
}

engineInfo(); // loads the engine
const idle = processMemory('VmRSS');
using step = new SatinStep(Number(process.argv[2]), String(process.argv[3]));
step.run(memorySteps);
process.stdout.write(`${processMemory('VmHWM') - idle}\n`);
