import { engineInfo } from '../src/engine/engine-info.js';
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

/** Measures every variant of PyTorch's step and keeps the fastest. */
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
  const tried: { rival: Rival; settings: RivalSettings; seconds: number }[] = [];
  for (const variant of variants) {
    note(`setting up torch ${version} ${variant}, ${activation}, batch ${batch}`);
    const rival = new Rival(python, 'train_step.py');
    const settings = { ...options.settings, variant, threads: engineInfo().threads };
    await rival.setUp(settings);
    const seconds: number[] = [];
    for (let turn = 0; turn < 3; turn++) seconds.push(await rival.run(steps));
    tried.push({ rival, settings, seconds: medianInterval(seconds).median });
    note(`torch ${variant}: ${Math.round((batch * steps) / medianInterval(seconds).median)} img/s`);
  }
  tried.sort((a, b) => a.seconds - b.seconds);
  for (const { rival } of tried.slice(1)) rival[Symbol.dispose]();
  const { rival, settings } = tried[0]!;
  const name = `torch ${version} ${settings.variant}`;
  return { rival, settings, name, [Symbol.dispose]: () => rival[Symbol.dispose]() };
}
