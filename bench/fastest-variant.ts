import { engineInfo } from '../src/engine/engine-info.js';
import { RunError } from '../src/errors.js';
import { medianInterval } from './pairs.js';
import { Rival, type RivalSettings } from './rival.js';

const variants = ['eager', 'channels-last', 'compile', 'compile-channels-last'];

/** PyTorch's training step in its fastest variant. */
export interface FastestVariant extends Disposable {
  readonly rival: Rival;
  readonly settings: RivalSettings;
  /** `torch 2.13.0 compile-channels-last` */
  readonly name: string;
}

/** Measures every variant of PyTorch's step and keeps the fastest; one that fails is left out, with a note. */
export async function fastestVariant(options: {
  readonly python: string;
  readonly version: string;
  readonly settings: Omit<RivalSettings, 'variant' | 'threads'>;
  /** Steps per measurement. */
  readonly steps: number;
  readonly note: (sentence: string) => void;
}): Promise<FastestVariant> {
  const { python, version, steps, note } = options;
  const { activation, batch } = options.settings;
  /** Only the fastest so far stays: several would not fit a card together. */
  let best: { rival: Rival; settings: RivalSettings; seconds: number } | null = null;
  for (const variant of variants) {
    note(`setting up torch ${version} ${variant}, ${activation}, batch ${batch}`);
    const rival = new Rival(python, 'train_step.py');
    const settings = { ...options.settings, variant, threads: engineInfo().threads };
    try {
      await rival.setUp(settings);
      const turns: number[] = [];
      for (let turn = 0; turn < 3; turn++) turns.push(await rival.run(steps));
      const seconds = medianInterval(turns).median;
      note(`torch ${variant}: ${Math.round((batch * steps) / seconds)} img/s`);
      if (best !== null && best.seconds <= seconds) rival[Symbol.dispose]();
      else {
        best?.rival[Symbol.dispose]();
        best = { rival, settings, seconds };
      }
    } catch (error) {
      rival[Symbol.dispose]();
      if (!(error instanceof RunError)) throw error;
      note(`torch ${variant} is left out: ${error.message}`);
    }
  }
  if (best === null) throw new RunError('rival', `No variant of PyTorch ${version} could run this step.`);
  const { rival, settings } = best;
  const name = `torch ${version} ${settings.variant}`;
  return { rival, settings, name, [Symbol.dispose]: () => rival[Symbol.dispose]() };
}
