import { createHash } from 'node:crypto';
import { InputError } from '../errors.js';

/** The configuration that a launcher passes to each process. */
export interface Launch {
  /** Name of the launcher: `torchrun`, `mpirun`, `srun`. */
  readonly launcher: string;
  readonly rank: number;
  readonly size: number;
  /** Rank among the processes of this machine, from 0; null if the launcher does not provide it. */
  readonly localRank: number | null;
  /** Address of rank 0. */
  readonly host: string;
  readonly port: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The default of PyTorch's launchers. */
const defaultPort = 29500;

/**
 * Reads rank and world size from the environment variables of torchrun, mpirun (Open MPI, MPICH, Intel MPI), srun,
 * Kubeflow Trainer or SkyPilot, or from `RANK`, `WORLD_SIZE`, `MASTER_ADDR`, `MASTER_PORT` set by hand. null if there is
 * a single process.
 *
 * @throws {InputError} if some of the variables are missing or invalid.
 */
export function readLauncherEnvironment(env: Environment): Launch | null {
  const assignment =
    manual(env) ?? openMpi(env) ?? hydra(env) ?? slurm(env) ?? kubeflowTrainer(env) ?? skyPilot(env);
  if (assignment === null) return null;
  const { launcher, rank, size, localRank } = assignment;
  if (size === 1) return null;
  return { launcher, rank, size, localRank, host: hostOf(assignment, env), port: portOf(assignment, env) };
}

/**
 * Whether the launcher has started this job before, and starts it again after a failure (torchrun) or after it was
 * requeued (Slurm): the run is then resumed rather than rejected because its folder exists.
 */
export function isRestart(env: Environment): boolean {
  return ['TORCHELASTIC_RESTART_COUNT', 'SLURM_RESTART_COUNT'].some((name) => Number(env[name] ?? 0) > 0);
}

/**
 * An id that the launcher keeps when it starts the same job again without counting it: torchrun after machines have joined
 * (`--rdzv-id`), SkyPilot after it has replaced machines. null if there is none.
 */
export function jobId(env: Environment): string | null {
  const { TORCHELASTIC_RUN_ID: run = 'none', SKYPILOT_TASK_ID: task = '' } = env;
  if (run !== 'none' && run !== '') return `torchrun ${run}`;
  return task === '' ? null : `SkyPilot ${task}`;
}

interface RankAssignment {
  readonly launcher: string;
  readonly rank: number;
  readonly size: number;
  readonly localRank: number | null;
  /** Address of rank 0 as told by the launcher; null if it does not provide it. */
  readonly host: string | null;
  /** Port of rank 0 as told by the launcher; null if it does not provide it. */
  readonly port: number | null;
  /** Unique to the job; null if the launcher provides no such id. */
  readonly job: string | null;
}

const thisMachine = '127.0.0.1';

function manual(env: Environment): RankAssignment | null {
  if (env.RANK === undefined && env.WORLD_SIZE === undefined) {
    // With another launcher, MASTER_ADDR and MASTER_PORT may be set by hand.
    const others = [
      'OMPI_COMM_WORLD_RANK',
      'PMI_RANK',
      'SLURM_PROCID',
      'PET_NODE_RANK',
      'SKYPILOT_NODE_RANK',
    ];
    if (env.MASTER_ADDR === undefined || others.some((name) => env[name] !== undefined)) return null;
  }
  requireAll(env, ['RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT']);
  const { rank, size } = rankAndSize(env, 'RANK', 'WORLD_SIZE');
  const launcher = env.TORCHELASTIC_RUN_ID === undefined ? 'RANK and WORLD_SIZE' : 'torchrun';
  return {
    launcher,
    rank,
    size,
    localRank: localRankOf(env, 'LOCAL_RANK'),
    host: null,
    port: null,
    job: null,
  };
}

function openMpi(env: Environment): RankAssignment | null {
  if (env.OMPI_COMM_WORLD_RANK === undefined && env.OMPI_COMM_WORLD_SIZE === undefined) return null;
  requireAll(env, ['OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE']);
  const { rank, size } = rankAndSize(env, 'OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE');
  const localRank = localRankOf(env, 'OMPI_COMM_WORLD_LOCAL_RANK');
  const host = env.OMPI_COMM_WORLD_LOCAL_SIZE === String(size) ? thisMachine : null;
  return { launcher: 'mpirun', rank, size, localRank, host, port: null, job: env.PMIX_NAMESPACE ?? null };
}

/** MPICH and Intel MPI. */
function hydra(env: Environment): RankAssignment | null {
  if (env.PMI_RANK === undefined && env.PMI_SIZE === undefined) return null;
  requireAll(env, ['PMI_RANK', 'PMI_SIZE']);
  const { rank, size } = rankAndSize(env, 'PMI_RANK', 'PMI_SIZE');
  const localRank = localRankOf(env, 'MPI_LOCALRANKID');
  const host = env.MPI_LOCALNRANKS === String(size) ? thisMachine : null;
  return { launcher: 'mpirun', rank, size, localRank, host, port: null, job: null };
}

function slurm(env: Environment): RankAssignment | null {
  if (env.SLURM_PROCID === undefined) return null; // the shell of an allocation has the other variables too
  const tasks = env.SLURM_STEP_NUM_TASKS === undefined ? 'SLURM_NTASKS' : 'SLURM_STEP_NUM_TASKS';
  const isStep = env.SLURM_STEP_ID !== undefined || env.SLURM_STEPID !== undefined;
  if (!isStep && env[tasks] === undefined) return null; // a batch script with a single task
  requireAll(env, ['SLURM_PROCID', tasks]);
  const { rank, size } = rankAndSize(env, 'SLURM_PROCID', tasks);
  if (!isStep && size > 1)
    throw new InputError(
      'launch',
      `Expected SLURM_STEP_ID with ${tasks}=${size} but it is not set: this is the batch script itself, which runs only one ` +
        'task. Put srun before the command, or request one task.',
    );
  const job = [env.SLURM_JOB_ID, env.SLURM_STEP_ID].join('.');
  return {
    launcher: 'srun',
    rank,
    size,
    localRank: localRankOf(env, 'SLURM_LOCALID'),
    host: null,
    port: null,
    job,
  };
}

/**
 * Kubeflow Trainer v2 sets torchrun's variables in every pod of a TrainJob. Without torchrun in between, a pod runs one
 * process, whose rank is that of the pod.
 */
function kubeflowTrainer(env: Environment): RankAssignment | null {
  if (env.PET_NODE_RANK === undefined) return null;
  requireAll(env, ['PET_NNODES', 'PET_NODE_RANK', 'PET_MASTER_ADDR', 'PET_MASTER_PORT']);
  // Words such as `auto` leave the number to whoever starts the processes.
  const processes = env.PET_NPROC_PER_NODE ?? '';
  if (/^\d+$/.test(processes) && Number(processes) > 1)
    throw severalPerMachine(
      `PET_NPROC_PER_NODE=${processes} processes`,
      'set numProcPerNode: 1 in the TrainJob (its default is the number of processors)',
    );
  const { rank, size } = rankAndSize(env, 'PET_NODE_RANK', 'PET_NNODES');
  const port = wholeNumber(env, 'PET_MASTER_PORT', 1, 65_535);
  const host = env.PET_MASTER_ADDR ?? null;
  return { launcher: 'Kubeflow Trainer', rank, size, localRank: 0, host, port, job: null };
}

/** SkyPilot runs the command once on every machine of a task; one process is then one rank. */
function skyPilot(env: Environment): RankAssignment | null {
  if (env.SKYPILOT_NODE_RANK === undefined || env.SKYPILOT_NUM_NODES === '1') return null;
  requireAll(env, ['SKYPILOT_NODE_RANK', 'SKYPILOT_NUM_NODES', 'SKYPILOT_NODE_IPS']);
  const { rank, size } = rankAndSize(env, 'SKYPILOT_NODE_RANK', 'SKYPILOT_NUM_NODES');
  const gpus = Number(env.SKYPILOT_NUM_GPUS_PER_NODE ?? 0);
  if (gpus > 1)
    throw severalPerMachine(
      `one process for each of the SKYPILOT_NUM_GPUS_PER_NODE=${gpus} GPUs`,
      'request machines with one GPU',
    );
  const host = (env.SKYPILOT_NODE_IPS ?? '').trim().split(/\s+/)[0] ?? null;
  return {
    launcher: 'SkyPilot',
    rank,
    size,
    localRank: 0,
    host,
    port: null,
    job: env.SKYPILOT_TASK_ID ?? null,
  };
}

function severalPerMachine(what: string, otherwise: string): InputError {
  return new InputError(
    'launch',
    `Expected torchrun to start ${what} on this machine but the command was started without it. Put torchrun --no-python ` +
      `before the command, or ${otherwise}.`,
  );
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

function wholeNumber(env: Environment, name: string, min: number, max: number): number {
  const text = env[name] ?? '';
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw InputError.expected(`a whole number from ${min} to ${max}`, name, text);
  return value;
}

function localRankOf(env: Environment, name: string): number | null {
  return env[name] === undefined || env[name] === '' ? null : wholeNumber(env, name, 0, 65_535);
}

function hostOf({ launcher, size, host }: RankAssignment, env: Environment): string {
  if (env.MASTER_ADDR !== undefined && env.MASTER_ADDR !== '') return env.MASTER_ADDR;
  if (host !== null) return host;
  const nodes = env.SLURM_STEP_NODELIST ?? env.SLURM_JOB_NODELIST ?? env.SLURM_NODELIST;
  if (nodes !== undefined && nodes !== '') return firstNode(nodes);
  throw new InputError(
    'launch',
    `Expected MASTER_ADDR, the address of rank 0, to be set for ${size} processes of ${launcher} on several ` +
      'machines but it is not. With Open MPI: mpirun -x MASTER_ADDR=HOST.',
  );
}

/** The first host of a Slurm node list: `node[003-007,9],login` starts with node003. */
export function firstNode(nodes: string): string {
  const first = nodes.replaceAll(/\[([^\],-]*)[^\]]*\]/g, '$1'); // keep the first entry of each range
  return first.split(',')[0] ?? first;
}

function portOf(assignment: RankAssignment, env: Environment): number {
  if (env.MASTER_PORT !== undefined && env.MASTER_PORT !== '') {
    const port = wholeNumber(env, 'MASTER_PORT', 1, 65_534);
    // torchrun's own store uses that port, so use the next one.
    return env.TORCHELASTIC_USE_AGENT_STORE === 'True' ? port + 1 : port;
  }
  if (assignment.port !== null) return assignment.port;
  if (assignment.job === null) return defaultPort;
  // Derive the port from the job id, so that jobs sharing a machine rarely collide.
  return defaultPort + (createHash('sha256').update(assignment.job).digest().readUInt16BE(0) % 8000);
}
