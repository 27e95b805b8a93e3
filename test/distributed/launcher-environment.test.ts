/** Which rank a process is, from what launchers tell it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  firstNode,
  isRestart,
  jobId,
  readLauncherEnvironment,
} from '../../src/distributed/launcher-environment.js';
import { InputError } from '../../src/errors.js';

type Environment = Readonly<Record<string, string>>;

const plain = { RANK: '1', WORLD_SIZE: '4', MASTER_ADDR: 'head', MASTER_PORT: '1234' };
const openMpi = { OMPI_COMM_WORLD_RANK: '2', OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_LOCAL_SIZE: '4' };
const srun = {
  SLURM_PROCID: '3',
  SLURM_NTASKS: '8',
  SLURM_STEP_ID: '0',
  SLURM_JOB_ID: '77',
  SLURM_NODELIST: 'node[03-06],login',
};
/** As Trainer's plugin for torch sets them in every pod. */
const trainJob = {
  PET_NNODES: '4',
  PET_NPROC_PER_NODE: '1',
  PET_NODE_RANK: '2',
  PET_MASTER_ADDR: 'satin-node-0-0.satin',
  PET_MASTER_PORT: '29500',
};
const sky = {
  SKYPILOT_NODE_RANK: '1',
  SKYPILOT_NUM_NODES: '2',
  SKYPILOT_NODE_IPS: '10.0.0.7\n10.0.0.9\n',
  SKYPILOT_NUM_GPUS_PER_NODE: '1',
  SKYPILOT_TASK_ID: 'sky-2026-01-01-00-00-00-000000_satin_1',
};

describe('a rank and its meeting place', () => {
  it('come from the variables that torchrun and persons set', () => {
    assert.deepEqual(readLauncherEnvironment(plain), {
      launcher: 'RANK and WORLD_SIZE',
      rank: 1,
      size: 4,
      localRank: null,
      host: 'head',
      port: 1234,
    });
    const torchrun = { ...plain, TORCHELASTIC_RUN_ID: 'none', TORCHELASTIC_USE_AGENT_STORE: 'True' };
    assert.equal(readLauncherEnvironment(torchrun)?.port, 1235, "beside torchrun's own store");
    assert.equal(readLauncherEnvironment({ ...torchrun, LOCAL_RANK: '1' })?.localRank, 1);
  });

  it("come from mpirun's, on one machine with nothing else", () => {
    assert.deepEqual(readLauncherEnvironment(openMpi), {
      launcher: 'mpirun',
      rank: 2,
      size: 4,
      localRank: null,
      host: '127.0.0.1',
      port: 29500,
    });
    assert.equal(readLauncherEnvironment({ ...openMpi, OMPI_COMM_WORLD_LOCAL_RANK: '2' })?.localRank, 2);
    assert.equal(
      readLauncherEnvironment({ PMI_RANK: '3', PMI_SIZE: '4', MPI_LOCALNRANKS: '4', MPI_LOCALRANKID: '3' })
        ?.localRank,
      3,
    );
    assert.equal(
      readLauncherEnvironment({ PMI_RANK: '0', PMI_SIZE: '2', MPI_LOCALNRANKS: '2' })?.host,
      '127.0.0.1',
    );
    const two = { ...openMpi, OMPI_COMM_WORLD_LOCAL_SIZE: '2' };
    assert.equal(readLauncherEnvironment({ ...two, MASTER_ADDR: 'head', MASTER_PORT: '5' })?.host, 'head');
    assert.equal(readLauncherEnvironment({ ...two, SLURM_JOB_NODELIST: 'a[1-2]' })?.host, 'a1');
  });

  it("come from srun's: the first machine of the list, and a port of the job's own", () => {
    const launch = readLauncherEnvironment(srun);
    assert.equal(launch?.rank, 3);
    assert.equal(launch?.size, 8);
    assert.equal(launch?.host, 'node03');
    assert.deepEqual(readLauncherEnvironment({ ...srun, SLURM_PROCID: '0' })?.port, launch?.port);
    assert.notEqual(readLauncherEnvironment({ ...srun, SLURM_JOB_ID: '78' })?.port, launch?.port);
    assert.equal(readLauncherEnvironment({ ...srun, MASTER_PORT: '4000' })?.port, 4000);
    assert.equal(readLauncherEnvironment({ ...srun, SLURM_STEP_NUM_TASKS: '4' })?.size, 4);
    assert.equal(readLauncherEnvironment({ ...srun, SLURM_LOCALID: '3' })?.localRank, 3);
  });

  it('come from those of Kubeflow Trainer: a pod is a rank where it starts one process', () => {
    assert.deepEqual(readLauncherEnvironment(trainJob), {
      launcher: 'Kubeflow Trainer',
      rank: 2,
      size: 4,
      localRank: 0,
      host: 'satin-node-0-0.satin',
      port: 29500,
    });
    for (const word of ['auto', 'cpu', 'gpu'])
      assert.equal(readLauncherEnvironment({ ...trainJob, PET_NPROC_PER_NODE: word })?.size, 4);
    const { PET_NPROC_PER_NODE: _, ...unstated } = trainJob;
    assert.equal(readLauncherEnvironment(unstated)?.rank, 2);
    assert.equal(
      readLauncherEnvironment({ ...trainJob, ...plain })?.rank,
      1,
      'torchrun reads the same variables, and sets its own',
    );
  });

  it("come from SkyPilot's: a machine is a rank, and the first one rank 0", () => {
    const launch = readLauncherEnvironment(sky);
    assert.deepEqual(
      { ...launch, port: 0 },
      { launcher: 'SkyPilot', rank: 1, size: 2, localRank: 0, host: '10.0.0.7', port: 0 },
    );
    assert.equal(readLauncherEnvironment({ ...sky, SKYPILOT_NODE_RANK: '0' })?.port, launch?.port);
    assert.equal(readLauncherEnvironment({ ...sky, MASTER_PORT: '8008' })?.port, 8008);
    assert.equal(readLauncherEnvironment({ ...sky, ...plain })?.rank, 1, 'torchrun in between');
  });

  it('are those of the nearest launcher where several left their variables', () => {
    const batch = { SLURM_PROCID: '0', SLURM_NTASKS: '4' };
    assert.equal(readLauncherEnvironment({ ...batch, ...openMpi })?.launcher, 'mpirun');
    assert.equal(readLauncherEnvironment({ ...srun, ...openMpi, ...plain })?.rank, 1);
  });

  it('are none for one process', () => {
    const alone: readonly Environment[] = [
      {},
      { ...plain, RANK: '0', WORLD_SIZE: '1' },
      { SLURM_NTASKS: '4', SLURM_NODELIST: 'a,b' }, // the shell of an allocation
      { SLURM_PROCID: '0', SLURM_NTASKS: '1' },
      { SLURM_PROCID: '0' },
      { ...trainJob, PET_NNODES: '1', PET_NODE_RANK: '0' },
      { ...sky, SKYPILOT_NUM_NODES: '1', SKYPILOT_NODE_RANK: '0', SKYPILOT_NUM_GPUS_PER_NODE: '8' },
    ];
    for (const env of alone) assert.equal(readLauncherEnvironment(env), null, JSON.stringify(env));
  });

  it('are refused where the variables are set by half, or make no sense', () => {
    const { RANK: _, ...rankless } = plain;
    const { MASTER_PORT: __, ...portless } = plain;
    const { SLURM_STEP_ID: ___, ...batchScript } = { ...srun, SLURM_PROCID: '0' };
    const cases: readonly (readonly [Environment, RegExp])[] = [
      [rankless, /RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT to be set together but RANK is missing/],
      [
        portless,
        /MASTER_PORT is missing, while RANK, WORLD_SIZE, MASTER_ADDR are set\. Set them all, or unset/,
      ],
      [{ WORLD_SIZE: '2' }, /RANK, MASTER_ADDR, MASTER_PORT are missing, while WORLD_SIZE is set/],
      [{ MASTER_ADDR: 'head' }, /RANK, WORLD_SIZE, MASTER_PORT are missing/],
      [{ OMPI_COMM_WORLD_RANK: '0' }, /OMPI_COMM_WORLD_SIZE is missing/],
      [{ ...plain, RANK: '4' }, /Expected a whole number from 0 to 3 for RANK but received '4'/],
      [{ ...plain, WORLD_SIZE: 'two' }, /WORLD_SIZE but received 'two'/],
      [{ ...plain, MASTER_PORT: '0' }, /MASTER_PORT but received '0'/],
      [{ ...openMpi, OMPI_COMM_WORLD_LOCAL_SIZE: '2' }, /Expected MASTER_ADDR.*mpirun -x MASTER_ADDR=HOST/],
      [
        { ...trainJob, PET_NPROC_PER_NODE: '4' },
        /Expected torchrun to start PET_NPROC_PER_NODE=4 processes .* Put torchrun .* numProcPerNode: 1/,
      ],
      [{ PET_NODE_RANK: '0', PET_NNODES: '2' }, /PET_MASTER_ADDR, PET_MASTER_PORT are missing/],
      [{ ...trainJob, PET_NNODES: '1:4' }, /PET_NNODES but received '1:4'/],
      [{ ...sky, SKYPILOT_NUM_GPUS_PER_NODE: '8' }, /SKYPILOT_NUM_GPUS_PER_NODE=8 GPUs .* Put torchrun/],
      [{ SKYPILOT_NODE_RANK: '1', SKYPILOT_NUM_NODES: '2' }, /SKYPILOT_NODE_IPS is missing/],
      [{ ...plain, LOCAL_RANK: 'x' }, /LOCAL_RANK but received 'x'/],
      [batchScript, /Expected SLURM_STEP_ID .* batch script itself.*Put srun before the command/],
    ];
    for (const [env, message] of cases)
      assert.throws(
        () => readLauncherEnvironment(env),
        (error) => {
          assert.ok(error instanceof InputError);
          assert.match(error.message, message);
          return true;
        },
        JSON.stringify(env),
      );
  });
});

describe('a job', () => {
  it('is started again where torchrun or Slurm count it', () => {
    assert.equal(isRestart({}), false);
    assert.equal(isRestart({ TORCHELASTIC_RESTART_COUNT: '0' }), false);
    assert.equal(isRestart({ TORCHELASTIC_RESTART_COUNT: '3' }), true);
    assert.equal(isRestart({ SLURM_RESTART_COUNT: '1' }), true);
  });

  it('is known by an id where torchrun was given one, or SkyPilot gave it', () => {
    assert.equal(jobId({}), null);
    assert.equal(jobId({ TORCHELASTIC_RUN_ID: 'none' }), null, "torchrun's default");
    assert.equal(jobId({ TORCHELASTIC_RUN_ID: 'a', SKYPILOT_TASK_ID: 'b' }), 'torchrun a');
    assert.equal(jobId(sky), `SkyPilot ${sky.SKYPILOT_TASK_ID}`);
  });
});

describe("Slurm's lists of machines", () => {
  it('begin with their first machine', () => {
    const lists = {
      node1: 'node1',
      'node1,node2': 'node1',
      'node[03-06],login': 'node03',
      'gpu[7,9-11]': 'gpu7',
      'rack[1-2]-node[1-4]': 'rack1-node1',
      'rack2-n[001-004]-ib': 'rack2-n001-ib',
    };
    for (const [nodes, first] of Object.entries(lists)) assert.equal(firstNode(nodes), first, nodes);
  });
});
