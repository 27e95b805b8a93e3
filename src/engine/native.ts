/**
 * The only importer of the engine's binary. It loads on the first use, not on import, so that commands which need
 * no engine (help, a recipe that is refused) never wait for libtorch.
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

let addon: Addon | undefined;

/** The engine; it is loaded by the first call, with as many threads as the machine has processors. */
export function native(): Addon {
  addon ??= load();
  return addon;
}

/** Whether the engine has been loaded in this process. */
export function isLoaded(): boolean {
  return addon !== undefined;
}

/** What the set-up recorded of the engine: which libtorch the binary was compiled against. */
export function engineRecord(): { readonly binary: string; readonly kind: string; readonly folder: string } {
  const path = join(packageFolder, 'native', 'build', 'engine.json');
  if (!existsSync(path))
    throw new EngineError('The engine is not built yet. Run `npm run setup` in the folder of Satin.');
  const record = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly binary: string;
    readonly libtorch: { readonly kind: string; readonly folder: string };
  };
  return { binary: record.binary, kind: record.libtorch.kind, folder: record.libtorch.folder };
}

function load(): Addon {
  if (!isMainThread)
    throw new EngineError(
      'Satin works on the main thread only, because the engine of a worker that ends takes the process with it.',
    );
  const { binary } = engineRecord();
  // OpenMP's threads spin between two parallel loops, a million times by default. Where another program wants the
  // processor too, the spinning one holds back the very thread it waits for: a training step was then measured to take
  // fourteen times as long. This many turns bridge the gaps of a network and no more.
  if (process.env.OMP_WAIT_POLICY === undefined) process.env.GOMP_SPINCOUNT ??= '30000';
  let loaded: Addon;
  try {
    loaded = createRequire(import.meta.url)(join(packageFolder, binary)) as Addon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError(
      `The engine could not be loaded: ${reason}. Run \`npm run setup\` to build it again.`,
      { cause },
    );
  }
  loaded.setErrorClasses(EngineError, DisposedError, InputError);
  // libtorch itself starts with one thread on small virtual machines.
  loaded.setThreads(availableParallelism());
  // V8's young generation grows to 48 MB over some thousand steps, which reads as a leak. Tensors are small objects
  // that die young: they need no more than it begins with.
  setFlagsFromString('--semi-space-growth-factor=1');
  if (process.env.SATIN_POISON === '1') loaded.poisonRecycled(true);
  return loaded;
}
