/**
 * A run that torchrun starts again whenever one of its ranks is killed comes to what an undisturbed run comes to, and
 * nobody does anything. torchrun is only the launcher; `SATIN_TORCHRUN` names it where it is not on the path.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { availableBackends } from '../../../src/distributed/collectives.js';
import { readCheckpoint } from '../../../src/runs/checkpoint.js';
import { readEvents } from '../../../src/runs/event-log.js';
import { largestDifference } from '../../support/close.js';
import { freePort, satinRanks } from '../../support/ranks.js';
import { mainFile, tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

const torchrun = process.env.SATIN_TORCHRUN ?? 'torchrun';
const skip = !availableBackends().includes('gloo')
  ? 'this engine was built without Gloo'
  : spawnSync(torchrun, ['--help']).status !== 0
    ? 'there is no torchrun on the path or in SATIN_TORCHRUN'
    : false;

const folder = mkdtempSync(join(tmpdir(), 'satin-torchrun-'));
const agents: Agent[] = [];
after(() => {
  // Only a failed test leaves one; it ends its ranks.
  for (const { process } of agents) process.kill('SIGTERM');
  rmSync(folder, { recursive: true });
});
const recipe = join(folder, 'tiny.yaml');
writeTinyMnist(join(folder, 'mnist'));
const tiny = tinyRecipe(join(folder, 'mnist'));
const epochs = 30;
const steps = 8 * epochs;
writeFileSync(
  recipe,
  JSON.stringify({ ...tiny, training: { ...tiny.training, epochs, checkpointEvery: 1 } }),
);

const last = (path: string) => readCheckpoint({ path, names: ['last'] });
const weightsOf = (path: string) =>
  last(path).weights.flatMap(({ dtype, bytes }) =>
    dtype === 'F32' ? [...new Float32Array(bytes.slice().buffer)] : [],
  );
const stepOf = (path: string) => {
  const file = join(path, 'checkpoints', 'last.json');
  return existsSync(file) ? Number(/"step": ?(\d+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? 0) : 0;
};

/** Numbers from 0 to 1, the same in every test run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Agent {
  readonly process: ChildProcess;
  readonly said: () => string;
}

interface AgentOptions {
  readonly processes: number;
  /** Further words of the command line. */
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** An agent of torchrun: one of the one or two machines of a job. */
function startAgent(path: string, port: number, options: AgentOptions): Agent {
  const { processes, words = [], env = {} } = options;
  const child = spawn(
    torchrun,
    [
      '--nnodes=1:2',
      `--nproc-per-node=${processes}`,
      '--max-restarts=20',
      '--rdzv-backend=c10d',
      `--rdzv-endpoint=127.0.0.1:${port}`,
      '--rdzv-id=satin-test',
      // It waits for so many seconds for another machine that might join.
      '--rdzv-conf=last_call_timeout=1',
      '--monitor-interval=0.1',
      '--no-python',
      process.execPath,
      mainFile,
      ...['train', recipe, '--out', path, ...words],
    ],
    {
      env: {
        ...process.env,
        OMP_NUM_THREADS: '1',
        SATIN_LOST_AFTER: '3',
        SATIN_RENDEZVOUS_SECONDS: '30',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-20_000);
    });
  const agent = { process: child, said: () => said };
  agents.push(agent);
  return agent;
}

/** The processes that an agent has started, with their environment. */
function ranksOf({
  process: { pid },
}: Agent): { readonly pid: number; readonly rank: number; restarts: number }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const parent = readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')[1];
        if (parent !== String(pid)) return [];
        const env = readFileSync(`/proc/${name}/environ`, 'utf8');
        const value = (key: string) => new RegExp(`(?:^|\0)${key}=(\\d+)`).exec(env)?.[1];
        const [rank, restarts] = [value('RANK'), value('TORCHELASTIC_RESTART_COUNT')];
        if (rank === undefined || restarts === undefined) return [];
        return [{ pid: Number(name), rank: Number(rank), restarts: Number(restarts) }];
      } catch {
        return []; // it has ended
      }
    });
}

const exitOf = (agent: Agent) =>
  new Promise<number | null>((resolve) => agent.process.once('exit', (status) => resolve(status)));

/** Waits until a condition holds, while an agent lives. */
async function until(isTrue: () => boolean, agent: Agent): Promise<void> {
  while (!isTrue()) {
    assert.equal(agent.process.exitCode, null, agent.said());
    await sleep(20);
  }
}

describe('a run that torchrun starts again', { skip }, () => {
  it('comes to the weights of an undisturbed one after twenty random kills of ranks', async () => {
    const whole = join(folder, 'whole');
    const line = ['train', recipe, '--out', whole];
    for (const { status, stderr } of await (await satinRanks([line, line])).ended)
      assert.equal(status, 0, stderr);

    const path = join(folder, 'killed');
    const agent = startAgent(path, await freePort(), { processes: 2 });
    const exit = exitOf(agent);
    const draw = random(1);
    const killed = [0, 0];
    for (let kill = 0; kill < 20; kill++) {
      const after = Math.floor((kill + draw()) * (steps / 21));
      const rank = draw() < 0.5 ? 0 : 1;
      const delay = draw() * 100;
      const victim = () =>
        ranksOf(agent).find((process) => process.restarts === kill && process.rank === rank)?.pid;
      // Within its training, at least one step after it has resumed: each restart makes some progress.
      const resumedAt = stepOf(path);
      await until(() => stepOf(path) > Math.max(after, resumedAt) && victim() !== undefined, agent);
      await sleep(delay);
      const pid = victim();
      assert.ok(pid !== undefined, agent.said());
      process.kill(pid, 'SIGKILL');
      killed[rank]! += 1;
    }
    assert.equal(await exit, 0, agent.said());
    assert.ok(killed[0]! > 0 && killed[1]! > 0, 'rank 0, which writes, and the other one');
    assert.equal(last(path).progress?.step, steps);
    assert.equal(readEvents(path).filter(({ type }) => type === 'resume').length, 20);
    const off = largestDifference(weightsOf(path), weightsOf(whole));
    assert.ok(off <= 1e-8, `weights off by ${off}`);
  });

  it('goes on with one machine when the other is lost, and with both when it returns', async () => {
    const path = join(folder, 'elastic');
    const port = await freePort();
    const long = 60;
    const options = {
      processes: 1,
      words: ['--set', `training.epochs=${long}`],
      // MASTER_ADDR is then that of rank 0 in each round, not of the first one.
      env: { TORCH_DISABLE_SHARE_RDZV_TCP_STORE: '1' },
    };
    const first = startAgent(path, port, options);
    const exit = exitOf(first);
    await until(() => ranksOf(first).length === 1, first);
    const second = startAgent(path, port, options);
    await until(() => ranksOf(second).length === 1, first);
    const joined = stepOf(path);
    await until(() => stepOf(path) > joined + 10, first);
    // The machine is gone: torchrun and its rank.
    const lost = ranksOf(second);
    second.process.kill('SIGKILL');
    for (const { pid } of lost) process.kill(pid, 'SIGKILL');
    const before = stepOf(path);
    await until(() => stepOf(path) > before + 10, first);
    const third = startAgent(path, port, options);
    const thirdExit = exitOf(third);
    assert.equal(await exit, 0, first.said());
    assert.equal(await thirdExit, 0, third.said());
    assert.equal(last(path).progress?.step, 8 * long);
    // When the second joined, when it was lost, and when the third joined.
    const resumed = readEvents(path).filter(({ type }) => type === 'resume').length;
    assert.ok(resumed >= 3, `resumed ${resumed} times`);
  });
});
