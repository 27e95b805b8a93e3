import type { Activation } from '../activations/activation.js';
import { parseDerivative } from '../activations/parse.js';
import type { ModelFile } from '../app/model/model-file.js';
import type { AttackableModel } from '../app/model/open-model.js';
import { parseAttack, requireNorm } from '../attacks/attack.js';
import { attackNamesOf } from '../attacks/autoattack.js';
import type { NormName } from '../attacks/norms.js';
import type { Dataset } from '../data/dataset.js';
import { parseDataName } from '../data/dataset-names.js';
import type { LoadOptions } from '../data/load-dataset.js';
import { InputError } from '../errors.js';
import { readOriginals } from '../evaluation/folder/images.js';
import type { EvaluationManifest } from '../evaluation/folder/manifest.js';
import { type StoredEvaluationFolder, storedEvaluationFolder } from '../evaluation/folder/stored-folder.js';
import { imagenetForm } from '../recipe/imagenet-data.js';
import { parseRecipe, type Recipe } from '../recipe/recipe.js';
import { isRunFolder, readStoredRecipe } from '../runs/run-folder.js';
import { type Epsilon, parseEpsilon } from '../user-input/epsilon.js';
import {
  type ExternalWords,
  type PreprocessingWords,
  readTypedModel,
  weightsAlone,
} from './model-options.js';
import { missing } from './options.js';

/** What was typed. */
export interface EvaluateWords extends PreprocessingWords, ExternalWords {
  readonly data?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly attack?: readonly string[] | undefined;
  readonly autoattack?: string | undefined;
  readonly alone?: true | undefined;
  readonly surrogate?: readonly string[] | undefined;
  readonly norm?: NormName | undefined;
  readonly epsilon?: string | undefined;
  readonly entry?: string | undefined;
  readonly examples?: number | undefined;
  readonly batch?: number | 'auto' | undefined;
  readonly seed?: number | undefined;
  readonly threads?: number | undefined;
  readonly checks?: 'quick' | 'full' | undefined;
  readonly saveAdversarial?: string | undefined;
  readonly resume?: string | undefined;
}

/** What shall be evaluated, and how: what was typed, else what the evaluation began with, else the run's own. */
export interface EvaluateSettings {
  readonly model: ModelFile;
  readonly attacks: readonly string[];
  readonly surrogates: readonly Activation[];
  readonly norm: NormName;
  readonly epsilon: Epsilon;
  readonly seed: number;
  readonly batch: number | 'auto';
  readonly alone: boolean;
  readonly checks: 'quick' | 'full';
  readonly threads: number | undefined;
  /** The evaluation that is resumed. */
  readonly stored: StoredEvaluationFolder | null;
  /** The images to evaluate on. */
  readonly load: (model: AttackableModel, onProgress: LoadOptions['onProgress']) => Promise<Dataset>;
}

/** @throws {InputError} for what does not fit together. Loads no engine. */
export function evaluateSettings(modelPath: string, words: EvaluateWords): EvaluateSettings {
  const typed = readTypedModel(modelPath, words, { takesWeights: true }); // refuses what is no model before anything else
  const stored = storedOf(words);
  // What is kept is opened again by the path alone, which for weights says too little.
  if (typed.kind === 'weights' && (words.saveAdversarial !== undefined || stored !== null))
    throw weightsAlone(modelPath);
  const manifest = stored?.manifest ?? null;
  const before = manifest?.evaluation;
  const recipe = isRunFolder(modelPath)
    ? parseRecipe(readStoredRecipe(modelPath), `the run ${modelPath}`)
    : null;

  const attacks = attacksOf(words) ?? before?.attacks ?? ['pgd-50'];
  const parsed = attacks.map(parseAttack);
  const surrogates = (words.surrogate ?? before?.surrogates ?? []).map(parseDerivative);
  const norm = words.norm ?? before?.norm ?? recipe?.threat.norm ?? missing('--norm', 'linf or l2');
  for (const attack of parsed) requireNorm(attack, norm);
  const seed = words.seed ?? before?.seed ?? 0;
  return {
    model:
      typed.kind === 'torchscript' && !typed.isStated && before?.input != null
        ? { ...typed, preprocessing: before.input }
        : typed,
    attacks,
    surrogates,
    norm,
    epsilon: epsilonOf(words, { norm, manifest, recipe }),
    seed,
    batch: words.batch ?? 'auto',
    alone: words.alone ?? before?.alone ?? false,
    checks: words.checks ?? before?.checks ?? 'quick',
    threads: words.threads ?? manifest?.threads,
    stored,
    load: loader(words, { manifest, recipe, seed }),
  };
}

/** The names of the attacks that were typed. @throws {InputError} where both ways of naming them are used. */
function attacksOf({ attack, autoattack }: EvaluateWords): readonly string[] | undefined {
  if (autoattack === undefined) return attack;
  if (attack !== undefined)
    throw InputError.expected(
      'no --attack',
      `--autoattack ${autoattack}`,
      attack.join(', '),
      'A set is run as it is; name all attacks by --attack to run others.',
    );
  return attackNamesOf(autoattack);
}

interface Sources {
  /** Of the evaluation that is resumed. */
  readonly manifest: EvaluationManifest | null;
  readonly recipe: Recipe | null;
}

function epsilonOf(
  { epsilon }: EvaluateWords,
  { norm, manifest, recipe }: Sources & { readonly norm: NormName },
): Epsilon {
  if (epsilon !== undefined) return parseEpsilon(epsilon, norm, '--epsilon');
  if (manifest !== null) return { epsilon: manifest.evaluation.epsilon, epsilonText: manifest.epsilonText };
  if (recipe !== null && recipe.threat.norm === norm)
    return { epsilon: recipe.threat.epsilon, epsilonText: recipe.threat.epsilonText };
  return missing('--epsilon', 'a radius such as 8/255');
}

function storedOf({ saveAdversarial, resume }: EvaluateWords): StoredEvaluationFolder | null {
  if (resume === undefined) return null;
  if (saveAdversarial !== undefined)
    throw InputError.expected(
      'one of --save-adversarial, which starts, and --resume, which continues,',
      '--resume',
      resume,
    );
  return storedEvaluationFolder(resume);
}

/** From the data set, or from the folder of an evaluation that goes on, where nothing was typed of data. */
function loader(
  words: EvaluateWords,
  { manifest, recipe, seed }: Sources & { readonly seed: number },
): EvaluateSettings['load'] {
  const { data, dataDir, examples, resume } = words;
  if (manifest !== null && resume !== undefined && (data ?? dataDir ?? examples) === undefined)
    return async () => readOriginals(resume, manifest.evaluation);
  const stated = data ?? manifest?.evaluation.data;
  const source = stated === undefined ? null : parseDataName(stated);
  const own = recipe?.data;
  const same = own !== undefined && (source === null || source.name === own.name) ? own : null;
  const name = source?.name ?? own?.name ?? missing('--data', 'a data set such as fashion-mnist:test');
  return async (model, onProgress) => {
    const { loadExamples } = await import('../app/evaluate/load-examples.js');
    return await loadExamples(model, {
      name,
      split: source?.split ?? 'test',
      dir: dataDir ?? same?.dir ?? undefined,
      resize: same?.name === 'folder' ? same.resize : undefined,
      ...(same?.name === 'imagenet' && { imagenet: imagenetForm(same) }),
      validation: same?.validation,
      validationSeed: same?.validationSeed,
      count: examples ?? manifest?.evaluation.examples ?? 1000,
      seed,
      ...(onProgress !== undefined && { onProgress }),
    });
  };
}
