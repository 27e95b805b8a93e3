/** A study of three arms that trains in a second, of which two share their runs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runStudy, type StudyOptions } from '../../studies/run-study.js';
import { type Study, withActivation } from '../../studies/study.js';
import { tinyRecipe, writeTinyMnist } from './tiny-run.js';

export const study: Study = {
  name: 'tiny',
  question: 'Does it run?',
  source: 'nowhere',
  reading: 'It runs.',
  arms: [
    { name: 'relu', change: withActivation('relu'), against: null },
    { name: 'again', change: withActivation('relu'), against: null },
    { name: 'silu', change: withActivation('silu'), against: 'relu' },
  ],
};

/** Writes data and recipe into a folder; what every call of the study has in common, and a way to carry it out. */
export function tinyStudy(folder: string) {
  writeTinyMnist(join(folder, 'mnist'));
  const recipe = join(folder, 'recipe.yaml');
  writeFileSync(recipe, JSON.stringify(tinyRecipe(join(folder, 'mnist'))));
  const common = {
    study,
    recipe,
    smoke: false,
    seeds: 1,
    examples: 16,
    attacks: ['pgd-2-paper', 'apgd-ce'],
    autoattack: false,
    precision: 'float32' as const,
    note: 'rows',
    folder: join(folder, 'out'),
    device: 'cpu',
    threads: 1,
    onPlan: () => {},
    onRun: () => {},
  };
  return {
    common,
    scale: { name: 'tiny', recipe, description: 'rows and columns' },
    /** Carries a study out; the arms of each run that was carried out. */
    async carryOut(options: Partial<StudyOptions> = {}): Promise<string[]> {
      const now: string[] = [];
      const onRun = ({ arms }: { readonly arms: readonly string[] }) => void now.push(arms.join(' '));
      const signal = new AbortController().signal;
      await runStudy({ ...common, parallel: 2, signal, onRun, ...options });
      return now.sort();
    },
  };
}
