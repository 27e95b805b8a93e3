import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';

/** A control group whose usage the engine watches. */
export interface MemoryGauge {
  /** In bytes. */
  readonly limit: number;
  /** File with the bytes in use. */
  readonly usage: string;
  /** File that says how much of that is page cache, which Linux gives back. */
  readonly statistics: string;
}

/** The memory that this process may use. */
export interface MemoryLimit {
  /** In bytes, less a margin for everything beside tensors. */
  readonly total: number;
  /** Kept free of `total` and of every gauge, in bytes. */
  readonly margin: number;
  /** Who gives it, for messages: `this machine`. */
  readonly giver: string;
  readonly gauges: readonly MemoryGauge[];
}

/**
 * The least of the machine's memory, the limits of the control groups of this process (version 1 and 2, each with those
 * above it) and this process's share of what Slurm allotted to the job, less a margin of a twentieth, from 64 MiB to
 * 1 GiB: a process that is ended by the kernel cannot say why.
 */
export function memoryLimit({
  root = '/',
  environment = process.env,
  machine = totalmem(),
}: {
  /** The root of the file system. @default '/' */
  readonly root?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The machine's memory in bytes. */
  readonly machine?: number;
} = {}): MemoryLimit {
  const gauges = controlGroups(root);
  const limits = [
    { limit: machine, giver: 'this machine' },
    ...gauges.map(({ limit }) => ({ limit, giver: 'the control group of this process' })),
    ...slurm(environment),
  ];
  const least = limits.reduce((a, b) => (b.limit < a.limit ? b : a));
  const given = Math.floor(least.limit);
  const margin = Math.floor(Math.min(1024 * mebi, Math.max(64 * mebi, given / 20)));
  return { total: Math.max(0, given - margin), margin, giver: least.giver, gauges };
}

const mebi = 2 ** 20;

/** The groups of this process that have a limit, those above it included. */
function controlGroups(root: string): MemoryGauge[] {
  // A line for each hierarchy: number:controllers:path. Version 2 has the number 0 and no controllers.
  const lines = (contentOf(join(root, 'proc/self/cgroup')) ?? '').split('\n').map((line) => line.split(':'));
  return lines.flatMap(([number, controllers = '', ...rest]) => {
    const path = rest.join(':');
    if (number === '0' && controllers === '') return groupsAt(root, version2, path);
    return controllers.split(',').includes('memory') ? groupsAt(root, version1, path) : [];
  });
}

const version1 = {
  mount: 'sys/fs/cgroup/memory',
  limit: 'memory.limit_in_bytes',
  usage: 'memory.usage_in_bytes',
};
const version2 = { mount: 'sys/fs/cgroup', limit: 'memory.max', usage: 'memory.current' };

/** In a container the path may be that outside of it: the group at the mount is then its own. */
function groupsAt(root: string, { mount, limit, usage }: typeof version1, path: string): MemoryGauge[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, depth) => parts.slice(0, depth)).flatMap((names) => {
    const folder = join(root, mount, ...names);
    const bytes = Number(contentOf(join(folder, limit)) ?? Number.NaN); // 'max' is no number
    // Version 1 writes a number near 2^63 for none.
    if (!(bytes > 0 && bytes < 2 ** 60)) return [];
    return [{ limit: bytes, usage: join(folder, usage), statistics: join(folder, 'memory.stat') }];
  });
}

/** In mebibytes, for the whole node or for each processor of the job on it; 0 is all of the node. */
function slurm(environment: Readonly<Record<string, string | undefined>>): {
  readonly limit: number;
  readonly giver: string;
}[] {
  const number = (name: string) => Number.parseInt(environment[name] ?? '', 10);
  const given = [
    ['SLURM_MEM_PER_NODE', number('SLURM_MEM_PER_NODE')],
    ['SLURM_MEM_PER_CPU', number('SLURM_MEM_PER_CPU') * number('SLURM_CPUS_ON_NODE')],
  ] as const;
  // torchrun starts its ranks within one task of Slurm; otherwise the tasks on the node are the ranks ('2(x3)').
  const ranks = [number('LOCAL_WORLD_SIZE'), number('SLURM_STEP_TASKS_PER_NODE')].find((count) => count > 0);
  return given
    .filter(([, size]) => size > 0)
    .map(([name, size]) => ({
      limit: (size * mebi) / (ranks ?? 1),
      giver: `${name}${(ranks ?? 1) > 1 ? `, shared by ${ranks} ranks,` : ''}`,
    }));
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
