import { createHash } from 'node:crypto';
import { InputError } from '../errors.js';

/** What a launcher told one of the processes that it started. */
export interface Launch {
  /** As its variables name it: `torchrun`, `mpirun`, `srun`. */
  readonly launcher: string;
  readonly rank: number;
  readonly size: number;
  /** Where rank 0 can be reached. */
  readonly host: string;
  readonly port: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The port that torch's launchers take too. */
const usualPort = 29500;

/**
 * Which of several processes this is, from the variables that torchrun, mpirun (Open MPI, MPICH, Intel MPI) and srun set,
 * or a person: `RANK`, `WORLD_SIZE`, `MASTER_ADDR`, `MASTER_PORT`. null where nothing says that there are others.
 *
 * @throws {InputError} where some of the variables are missing, or are no numbers that fit.
 */
export function readLauncherEnvironment(env: Environment): Launch | null {
  const place = plain(env) ?? openMpi(env) ?? hydra(env) ?? slurm(env);
  if (place === null) return null;
  const { launcher, rank, size } = place;
  if (size === 1) return null;
  return { launcher, rank, size, host: hostOf(place, env), port: portOf(place, env) };
}

interface RankAssignment {
  readonly launcher: string;
  readonly rank: number;
  readonly size: number;
  /** Whether all of them are on this machine, as far as the launcher says so. */
  readonly together: boolean;
  /** Equal for the processes of one job alone; null where the launcher has none. */
  readonly job: string | null;
}

function plain(env: Environment): RankAssignment | null {
  if (env.RANK === undefined && env.WORLD_SIZE === undefined) {
    // With another launcher, a person gives these two themselves.
    const others = ['OMPI_COMM_WORLD_RANK', 'PMI_RANK', 'SLURM_PROCID'].some(
      (name) => env[name] !== undefined,
    );
    if (env.MASTER_ADDR === undefined || others) return null;
  }
  requireAll(env, ['RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT']);
  const { rank, size } = rankAndSize(env, 'RANK', 'WORLD_SIZE');
  const launcher = env.TORCHELASTIC_RUN_ID === undefined ? 'RANK and WORLD_SIZE' : 'torchrun';
  return { launcher, rank, size, together: false, job: null };
}

function openMpi(env: Environment): RankAssignment | null {
  if (env.OMPI_COMM_WORLD_RANK === undefined && env.OMPI_COMM_WORLD_SIZE === undefined) return null;
  requireAll(env, ['OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE']);
  const { rank, size } = rankAndSize(env, 'OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE');
  const together = env.OMPI_COMM_WORLD_LOCAL_SIZE === String(size);
  return { launcher: 'mpirun', rank, size, together, job: env.PMIX_NAMESPACE ?? null };
}

/** MPICH and Intel MPI. */
function hydra(env: Environment): RankAssignment | null {
  if (env.PMI_RANK === undefined && env.PMI_SIZE === undefined) return null;
  requireAll(env, ['PMI_RANK', 'PMI_SIZE']);
  const { rank, size } = rankAndSize(env, 'PMI_RANK', 'PMI_SIZE');
  return { launcher: 'mpirun', rank, size, together: env.MPI_LOCALNRANKS === String(size), job: null };
}

function slurm(env: Environment): RankAssignment | null {
  if (env.SLURM_PROCID === undefined) return null; // an allocation's shell has the other variables too
  const tasks = env.SLURM_STEP_NUM_TASKS === undefined ? 'SLURM_NTASKS' : 'SLURM_STEP_NUM_TASKS';
  const isStep = env.SLURM_STEP_ID !== undefined || env.SLURM_STEPID !== undefined;
  if (!isStep && env[tasks] === undefined) return null; // a batch script of one task
  requireAll(env, ['SLURM_PROCID', tasks]);
  const { rank, size } = rankAndSize(env, 'SLURM_PROCID', tasks);
  if (!isStep && size > 1)
    throw new InputError(
      'launch',
      `Expected SLURM_STEP_ID beside ${tasks}=${size} but it is not set: this is the batch script itself, and no other ` +
        'task would come. Put srun before the command, or ask for one task.',
    );
  const job = [env.SLURM_JOB_ID, env.SLURM_STEP_ID].join('.');
  return { launcher: 'srun', rank, size, together: false, job };
}

function requireAll(env: Environment, names: readonly string[]): void {
  const missing = names.filter((name) => env[name] === undefined || env[name] === '');
  if (missing.length === 0) return;
  const set = names.filter((name) => !missing.includes(name));
  throw new InputError(
    'launch',
    `Expected ${names.join(', ')} to be set together but ${list(missing)} missing${set.length === 0 ? '' : `, while ${set.join(', ')} ${set.length === 1 ? 'is' : 'are'} set`}. ` +
      'Set them all, or unset them to train with one process.',
  );
}

function list(names: readonly string[]): string {
  return `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'}`;
}

function rankAndSize(env: Environment, rankName: string, sizeName: string) {
  const size = wholeNumber(env, sizeName, 1, 65_536);
  return { size, rank: wholeNumber(env, rankName, 0, size - 1) };
}

function wholeNumber(env: Environment, name: string, least: number, most: number): number {
  const text = env[name] ?? '';
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw InputError.expected(`a whole number from ${least} to ${most}`, name, text);
  return value;
}

function hostOf(place: RankAssignment, env: Environment): string {
  if (env.MASTER_ADDR !== undefined && env.MASTER_ADDR !== '') return env.MASTER_ADDR;
  if (place.together) return '127.0.0.1';
  const nodes = env.SLURM_STEP_NODELIST ?? env.SLURM_JOB_NODELIST ?? env.SLURM_NODELIST;
  if (nodes !== undefined && nodes !== '') return firstNode(nodes);
  throw new InputError(
    'launch',
    `Expected MASTER_ADDR, the machine of rank 0, to be set for ${place.size} processes of ${place.launcher} on several ` +
      'machines but it is not. With Open MPI: mpirun -x MASTER_ADDR=HOST.',
  );
}

/** The first machine of a list as Slurm writes it: `node[003-007,9],login` begins with node003. */
export function firstNode(nodes: string): string {
  const first = nodes.replaceAll(/\[([^\],-]*)[^\]]*\]/g, '$1'); // of each pair of brackets
  return first.split(',')[0] ?? first;
}

function portOf(place: RankAssignment, env: Environment): number {
  if (env.MASTER_PORT !== undefined && env.MASTER_PORT !== '') {
    const port = wholeNumber(env, 'MASTER_PORT', 1, 65_534);
    // torchrun's own store answers at that port; the next one is Satin's.
    return env.TORCHELASTIC_USE_AGENT_STORE === 'True' ? port + 1 : port;
  }
  if (place.job === null) return usualPort;
  // Jobs that share a machine get ports of their own, most likely.
  return usualPort + (createHash('sha256').update(place.job).digest().readUInt16BE(0) % 8000);
}
