import type { Activation } from '../activations/activation.js';
import { parseDerivative } from '../activations/parse.js';
import type { AttackableModel } from '../app/model/open-model.js';
import type { ModelFile } from '../app/model/read-model-file.js';
import { parseAttack, requireNorm } from '../attacks/attack.js';
import { attackNamesOf } from '../attacks/autoattack.js';
import { comparisonAttacks } from '../attacks/comparison-attacks.js';
import { readClassMap } from '../data/class-map.js';
import type { Dataset } from '../data/dataset.js';
import { parseDataName } from '../data/dataset-names.js';
import type { BrokenRule, ResizeRule } from '../data/image-rules.js';
import type { LoadOptions } from '../data/load-dataset.js';
import type { Precision } from '../engine/precision-name.js';
import { InputError } from '../errors.js';
import { readOriginals } from '../evaluation/folder/images.js';
import type { EvaluationManifest } from '../evaluation/folder/manifest.js';
import { type StoredEvaluationFolder, storedEvaluationFolder } from '../evaluation/folder/resume-folder.js';
import { requireSameDevice } from '../evaluation/folder/same-device.js';
import { type KnownModel, type KnownName, knownModels } from '../models/known-models.js';
import { placeOf } from '../provenance/manifest.js';
import { imagenetForm } from '../recipe/imagenet-data.js';
import { parseRecipe, type Recipe } from '../recipe/recipe.js';
import { isRunFolder, readStoredRecipe } from '../runs/run-folder.js';
import { type Epsilon, parseEpsilon } from '../user-input/epsilon.js';
import type { NormName } from '../user-input/norm-name.js';
import { anyNorm } from '../user-input/norm-name.js';
import {
  type ExternalWords,
  type PreprocessingWords,
  parseKnown,
  readTypedModel,
  weightsAlone,
} from './model-options.js';
import { missing } from './option-parsers.js';
import { statedAttacks } from './stated-attacks.js';

/** Parsed command line options of `satin evaluate`. */
export interface EvaluateWords extends PreprocessingWords, ExternalWords {
  readonly data?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly resize?: ResizeRule | undefined;
  readonly broken?: BrokenRule | undefined;
  readonly classMap?: string | undefined;
  readonly attack?: readonly string[] | undefined;
  readonly autoattack?: string | undefined;
  readonly alone?: true | undefined;
  readonly surrogate?: readonly string[] | undefined;
  readonly norm?: NormName | undefined;
  readonly epsilon?: string | undefined;
  readonly entry?: string | undefined;
  readonly released?: string | undefined;
  readonly known?: string | undefined;
  readonly examples?: number | undefined;
  readonly batch?: number | 'auto' | undefined;
  readonly seed?: number | undefined;
  readonly threads?: number | undefined;
  readonly checks?: 'quick' | 'full' | undefined;
  readonly device?: string | undefined;
  readonly precision?: Precision | undefined;
  readonly saveAdversarial?: string | undefined;
  readonly resume?: string | undefined;
}

/** Settings of an evaluation: from the options, else from the resumed evaluation, else from the run. */
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
  /** undefined for a graphics card if there is one. */
  readonly device: string | undefined;
  readonly precision: Precision;
  readonly threads: number | undefined;
  /** The published model that the user says this is; null if none. */
  readonly known: KnownName | null;
  /** The resumed evaluation, or null. */
  readonly stored: StoredEvaluationFolder | null;
  /** Loads the images to evaluate on. */
  readonly load: (model: AttackableModel, onProgress: LoadOptions['onProgress']) => Promise<Dataset>;
}

/** Resolves the settings. Does not load the engine. @throws {InputError} for inconsistent options. */
export function evaluateSettings(modelPath: string, words: EvaluateWords): EvaluateSettings {
  const typed = readTypedModel(modelPath, words, { takesWeights: true }); // validates the model first
  const stored = storedOf(words);
  // A saved evaluation reopens the model by its path alone, which is not sufficient for external weights.
  if (typed.kind === 'weights' && (words.saveAdversarial !== undefined || stored !== null))
    throw weightsAlone(modelPath, { released: words.released });
  const manifest = stored?.manifest ?? null;
  if (stored !== null && words.device !== undefined)
    requireSameDevice(stored, {
      device: words.device,
      card: words.device === 'cpu' ? null : placeOf(stored.manifest).card,
    });
  const previous = manifest?.evaluation;
  const recipe = isRunFolder(modelPath)
    ? parseRecipe(readStoredRecipe(modelPath), `the run ${modelPath}`)
    : null;

  const known = parseKnown(words.known ?? manifest?.outputs?.known ?? undefined) ?? null;
  const published = known === null ? null : knownModels[known];
  const norm =
    words.norm ?? previous?.norm ?? recipe?.threat.norm ?? published?.norm ?? missing('--norm', anyNorm);
  const attacks =
    statedAttacks(words, norm) ??
    previous?.attacks ??
    (published === null ? comparisonAttacks : attackNamesOf('standard', norm));
  const parsed = attacks.map(parseAttack);
  const surrogates = (words.surrogate ?? previous?.surrogates ?? []).map(parseDerivative);
  for (const attack of parsed) requireNorm(attack, norm);
  const seed = words.seed ?? previous?.seed ?? 0;
  return {
    model:
      typed.kind === 'torchscript' && !typed.isStated && previous?.input != null
        ? { ...typed, preprocessing: previous.input }
        : typed,
    attacks,
    surrogates,
    norm,
    epsilon: epsilonOf(words, { norm, manifest, recipe, published }),
    seed,
    batch: words.batch ?? 'auto',
    alone: words.alone ?? previous?.alone ?? false,
    checks: words.checks ?? previous?.checks ?? 'quick',
    device: words.device ?? manifest?.device,
    precision: words.precision ?? previous?.precision ?? 'float32',
    threads: words.threads ?? manifest?.threads,
    known,
    stored,
    load: loader(words, { manifest, recipe, published, seed }),
  };
}

interface Sources {
  /** Manifest of the resumed evaluation. */
  readonly manifest: EvaluationManifest | null;
  readonly recipe: Recipe | null;
  readonly published: KnownModel | null;
}

function epsilonOf(
  { epsilon }: EvaluateWords,
  { norm, manifest, recipe, published }: Sources & { readonly norm: NormName },
): Epsilon {
  if (epsilon !== undefined) return parseEpsilon(epsilon, norm, '--epsilon');
  if (manifest !== null) return { epsilon: manifest.evaluation.epsilon, epsilonText: manifest.epsilonText };
  if (recipe !== null && recipe.threat.norm === norm)
    return { epsilon: recipe.threat.epsilon, epsilonText: recipe.threat.epsilonText };
  if (published?.norm === norm) return parseEpsilon(published.epsilonText, norm);
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

/** A loader for the data set, or for the originals in the resumed folder if no data options are given. */
function loader(
  words: EvaluateWords,
  { manifest, recipe, published, seed }: Sources & { readonly seed: number },
): EvaluateSettings['load'] {
  const { data, dataDir, resize, broken, examples, resume } = words;
  const classMap = words.classMap === undefined ? undefined : readClassMap(words.classMap);
  const isStated = (data ?? dataDir ?? resize ?? broken ?? classMap ?? examples) !== undefined;
  if (manifest !== null && resume !== undefined && !isStated)
    return async () => readOriginals(resume, manifest.evaluation);
  const stated = data ?? manifest?.evaluation.data ?? published?.data;
  const source = stated === undefined ? null : parseDataName(stated);
  const isNamed = stated?.includes(':') === true;
  const trained = recipe?.data;
  const same = trained !== undefined && (source === null || source.name === trained.name) ? trained : null;
  const name = source?.name ?? trained?.name ?? missing('--data', 'a data set such as fashion-mnist:test');
  const trainedFolder = trained?.name === 'folder' ? trained.dir : null;
  return async (model, onProgress) => {
    const { loadExamples } = await import('../app/evaluate/load-examples.js');
    const { splitOfFolder, withPartOfFolder } = await import('../app/evaluate/split-of-folder.js');
    const dir = dataDir ?? same?.dir ?? undefined;
    const folder = name === 'folder' && dir !== undefined ? { dir, trainedOn: trainedFolder } : null;
    const loaded = await loadExamples(model, {
      name,
      split: folder === null || isNamed ? (source?.split ?? 'test') : await splitOfFolder(folder),
      dir,
      ...(same?.name === 'folder' && { resize: same.resize, broken: same.broken }),
      ...(resize !== undefined && { resize }),
      ...(broken !== undefined && { broken }),
      ...(classMap !== undefined && { classMap }),
      ...(same?.name === 'imagenet' && { imagenet: imagenetForm(same) }),
      validation: same?.validation,
      validationSeed: same?.validationSeed,
      count: examples ?? manifest?.evaluation.examples ?? 1000,
      seed,
      ...(onProgress !== undefined && { onProgress }),
    });
    // Of the run's own folder nobody asked for more than its test images.
    const isGiven = stated !== undefined || dataDir !== undefined;
    return folder === null || !isGiven ? loaded : await withPartOfFolder(loaded, folder);
  };
}
