/**
 * The only module that imports the native binding. It loads lazily, so that commands which need no engine (help, an
 * invalid recipe) do not wait for libtorch.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { DisposedError, EngineError, InputError } from '../errors.js';
import { packageFolder } from '../provenance/package-folder.js';
import type { Addon } from './addon.js';
import { memoryLimit } from './memory-limit.js';

let addon: Addon | undefined;

/** The native binding; the first call loads it and sets the number of threads to the number of processors. */
export function native(): Addon {
  addon ??= load();
  return addon;
}

/** Whether the engine has been loaded in this process. */
export function isLoaded(): boolean {
  return addon !== undefined;
}

/** The build record: which libtorch the binary was compiled against. */
export function engineRecord(): { readonly binary: string; readonly kind: string; readonly folder: string } {
  const path = join(packageFolder, 'native', 'build', 'engine.json');
  if (!existsSync(path))
    throw new EngineError(
      'The engine is not built yet. Run `npm run setup` in the folder of Satin: the clone, or node_modules/satin.',
    );
  const record = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly binary: string;
    readonly libtorch: { readonly kind: string; readonly folder: string };
  };
  return { binary: record.binary, kind: record.libtorch.kind, folder: record.libtorch.folder };
}

function load(): Addon {
  if (!isMainThread)
    throw new EngineError(
      'Satin runs on the main thread only, because a terminating worker would crash the process with its engine.',
    );
  const { binary } = engineRecord();
  // Idle OpenMP threads spin between two parallel regions, by default a million iterations. If another program competes
  // for the processors, a spinning thread holds back the thread it waits for: a training step was measured to take
  // fourteen times as long. This count bridges the gaps between the layers of a network and no more.
  if (process.env.OMP_WAIT_POLICY === undefined) process.env.GOMP_SPINCOUNT ??= '30000';
  // With its default workspaces cuBLAS may add in another order each time.
  process.env.CUBLAS_WORKSPACE_CONFIG ??= ':4096:8';
  let loaded: Addon;
  try {
    loaded = createRequire(import.meta.url)(join(packageFolder, binary)) as Addon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError(
      `The engine could not be loaded: ${reason}. Run \`npm run setup\` in the folder of Satin to build it again.`,
      { cause },
    );
  }
  loaded.setErrorClasses(EngineError, DisposedError, InputError);
  // libtorch defaults to one thread on small virtual machines.
  loaded.setThreads(availableParallelism());
  // V8's young generation would grow to 48 MB over some thousand steps, which looks like a leak. Tensors are small,
  // short-lived objects, for which its initial size suffices.
  setFlagsFromString('--semi-space-growth-factor=1');
  const { total, margin, giver, gauges } = memoryLimit();
  const lines = gauges.flatMap(({ limit, usage, statistics }) => [limit, margin, usage, statistics]);
  loaded.limitMemory(total, giver, lines.join('\n'));
  if (process.env.SATIN_POISON === '1') loaded.poisonRecycled(true);
  return loaded;
}
