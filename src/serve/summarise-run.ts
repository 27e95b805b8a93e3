import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson } from '../files/parse-json.js';
import { normNames, normSymbols } from '../user-input/norm-name.js';
import type { RunStatus, RunSummary } from './api.js';
import { fileInside } from './inside.js';
import { BriefLog, type LogBrief } from './log/brief.js';
import { textAt, valueAt } from './plain-data.js';

/** No recipe is longer. */
const longestRecipe = 2 ** 20;
/** Milliseconds without a sign of life after which a run counts as dead; the trainer gives one every five seconds. */
const silence = 60_000;

/** A run in the list, followed from call to call. */
export class FollowedRun {
  readonly id: string;
  readonly #root: string;
  readonly #log: BriefLog;
  readonly #path: string;
  #recipe: unknown;
  /** Of the log when it was last looked at. */
  #stamp = '';
  #born = 0;
  #brief: LogBrief | undefined;

  constructor(root: string, id: string) {
    this.id = id;
    this.#root = root;
    this.#path = join(root, id);
    this.#log = new BriefLog(this.#path);
  }

  /** undefined if its log is gone, or lies outside the served folder. */
  async summary(now = Date.now()): Promise<RunSummary | undefined> {
    const log = join(this.#path, 'events.jsonl');
    const [found, isFresh] = await Promise.all([stat(log).catch(() => undefined), isAlive(this.#path, now)]);
    if (found === undefined) return undefined;
    const stamp = `${found.ino}/${found.size}/${found.mtimeMs}`;
    if (stamp !== this.#stamp || this.#brief?.isWhole !== true) {
      const isInside = await fileInside(this.#root, this.#path, { name: 'events.jsonl' }).catch(
        () => undefined,
      );
      this.#brief = isInside === undefined ? undefined : await this.#log.refresh();
      this.#stamp = stamp;
    }
    if (this.#brief === undefined) return undefined;
    if (found.birthtimeMs !== this.#born) this.#recipe = undefined; // another run of that name
    this.#born = found.birthtimeMs;
    this.#recipe ??= await readPlain(this.#root, this.#path, 'recipe.json');
    const status = statusOf(this.#brief, { isAlive: isFresh });
    return summarise(this.id, { brief: this.#brief, recipe: this.#recipe, status });
  }
}

/** The JSON of a file of a run folder; undefined if it is missing, too large or broken. */
export async function readPlain(root: string, run: string, name: string): Promise<unknown> {
  try {
    const file = await fileInside(root, run, { name, limit: longestRecipe });
    return parseJson(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whether the lock of a run, which its process touches every few seconds, is fresh. */
async function isAlive(run: string, now: number): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(join(run, 'lock'));
    return now - mtimeMs < silence;
  } catch {
    return false;
  }
}

function statusOf({ state }: LogBrief, { isAlive }: { readonly isAlive: boolean }): RunStatus {
  if (state?.type === 'end') return 'finished';
  if (state?.type === 'failed') return 'failed';
  if (state?.type === 'interrupted') return 'interrupted';
  return isAlive ? 'training' : 'stale';
}

function summarise(
  id: string,
  {
    brief,
    recipe,
    status,
  }: { readonly brief: LogBrief; readonly recipe: unknown; readonly status: RunStatus },
): RunSummary {
  const { start, state, lastStep, lastEpoch, best } = brief;
  const clean = best?.measurements['validation/clean'];
  const robust = Object.entries(best?.measurements ?? {}).find(([name]) =>
    name.startsWith('validation/robust/'),
  );
  const seed = valueAt(recipe, 'training.seed');
  return {
    id,
    name: textAt(recipe, 'name') ?? id,
    seed: typeof seed === 'number' ? seed : null,
    status,
    epoch:
      state?.type === 'end' ? state.epoch : (lastEpoch?.epoch ?? Math.max(0, (lastStep?.epoch ?? 1) - 1)),
    epochs: start?.epochs ?? null,
    step: Math.max(lastStep?.step ?? 0, lastEpoch?.step ?? 0),
    stepsPerEpoch: start?.stepsPerEpoch ?? null,
    best:
      best === undefined ? null : { epoch: best.epoch, clean: finite(clean), robust: finite(robust?.[1]) },
    loss: finite(lastStep?.loss),
    imagesPerSecond: finite(lastStep?.imagesPerSecond),
    secondsLeft: status === 'training' ? secondsLeft(brief) : null,
    started: start?.time ?? null,
    updated: state?.time ?? null,
    architecture: textAt(recipe, 'model.name') ?? null,
    activation: textAt(recipe, 'model.activation') ?? null,
    objective: textAt(recipe, 'training.objective') ?? null,
    data: textAt(recipe, 'data.name') ?? null,
    threat: threatOf(recipe),
    warnings: brief.warnings,
    isWhole: brief.isWhole,
  };
}

/** From the duration of the last epoch, evaluation included; in the first epoch from the speed of its steps. */
function secondsLeft({ start, lastEpoch, firstStep, lastStep }: LogBrief): number | null {
  if (start === undefined || lastStep === undefined) return null;
  const left = start.epochs * start.stepsPerEpoch - Math.max(lastStep.step, lastEpoch?.step ?? 0);
  if (lastEpoch !== undefined && Number.isFinite(lastEpoch.seconds))
    return (lastEpoch.seconds / start.stepsPerEpoch) * left;
  if (firstStep === undefined || firstStep.step === lastStep.step) return null;
  const seconds = (Date.parse(lastStep.time) - Date.parse(firstStep.time)) / 1000;
  return finite((seconds / (lastStep.step - firstStep.step)) * left);
}

function threatOf(recipe: unknown): string | null {
  const norm = textAt(recipe, 'threat.norm');
  const epsilon = textAt(recipe, 'threat.epsilonText') ?? valueAt(recipe, 'threat.epsilon');
  if (norm === undefined || (typeof epsilon !== 'string' && typeof epsilon !== 'number')) return null;
  return threatText(norm, String(epsilon));
}

/** `L∞, ε = 8/255` */
export function threatText(norm: string, epsilonText: string): string {
  const symbol = normNames.find((name) => name === norm);
  return `${symbol === undefined ? norm : normSymbols[symbol]}, ε\u00a0=\u00a0${epsilonText}`;
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
