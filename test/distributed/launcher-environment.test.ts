/** Which rank a process is, from what launchers tell it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstNode, readLauncherEnvironment } from '../../src/distributed/launcher-environment.js';
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

describe('a rank and its meeting place', () => {
  it('come from the variables that torchrun and persons set', () => {
    assert.deepEqual(readLauncherEnvironment(plain), {
      launcher: 'RANK and WORLD_SIZE',
      rank: 1,
      size: 4,
      host: 'head',
      port: 1234,
    });
    const torchrun = { ...plain, TORCHELASTIC_RUN_ID: 'none', TORCHELASTIC_USE_AGENT_STORE: 'True' };
    assert.equal(readLauncherEnvironment(torchrun)?.port, 1235, "beside torchrun's own store");
  });

  it("come from mpirun's, on one machine with nothing else", () => {
    assert.deepEqual(readLauncherEnvironment(openMpi), {
      launcher: 'mpirun',
      rank: 2,
      size: 4,
      host: '127.0.0.1',
      port: 29500,
    });
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
