/**
 * The public API; anything else may change without notice. Importing it does not load the engine, which happens with
 * the first tensor.
 */

export {
  type Activation,
  derivative as activationDerivative,
  forward as activationForward,
  withBackward,
} from './activations/activation.js';
export { activationNames, parseActivation, parseDerivative } from './activations/parse.js';
export {
  type EvaluateRunOptions,
  type EvaluationRun,
  evaluateRun,
} from './app/evaluate/evaluate-run.js';
export { type ExamplesModel, type ExamplesOptions, loadExamples } from './app/evaluate/load-examples.js';
export {
  type FailedImage,
  type VerificationResult,
  verifyRun,
} from './app/evaluate/verify-run.js';
export { readModel } from './app/model/checkpoint-model.js';
export {
  type AttackableModel,
  attackableModel,
  functionModel,
  openModel,
} from './app/model/open-model.js';
export { type ModelFile, type ModelFileOptions, readModelFile } from './app/model/read-model-file.js';
export { type Prediction, predict } from './app/predict.js';
export { type TrainRunOptions, trainRun } from './app/train/train-run.js';
export { type Attack, parseAttack, type Threat } from './attacks/attack.js';
export { type AutoAttackSet, autoAttack, autoAttackSets, modeOf } from './attacks/autoattack.js';
export { type Norm, type NormName, norms } from './attacks/norms.js';
export type { Iterate, Observer } from './attacks/observer.js';
export { type PgdOptions, pgd } from './attacks/pgd.js';
export { chooseExamples } from './data/choose-examples.js';
export { type ClassMap, readClassMap } from './data/class-map.js';
export { type Dataset, type Split, splits, subset } from './data/dataset.js';
export { type DataName, dataNames } from './data/dataset-names.js';
export { type Batch, DatasetTensors } from './data/dataset-tensors.js';
export { type DecodedImages, decodeImages, type ImageForm } from './data/decode-image.js';
export { pixelsDigest } from './data/digest.js';
export type { BrokenRule, ResizeRule } from './data/image-rules.js';
export { imagenetSynsets } from './data/imagenet/synsets.js';
export { type LoadOptions, loadDataset } from './data/load-dataset.js';
export type { TypedArray } from './engine/addon.js';
export { type Card, cards, chooseDevice } from './engine/device.js';
export {
  type EngineInfo,
  emptyCache,
  engineInfo,
  type MemoryInfo,
  memoryInfo,
  setThreads,
  takeWarnings,
} from './engine/engine-info.js';
export { type Precision, precisions } from './engine/precision-name.js';
export {
  DisposedError,
  EngineError,
  InputError,
  InterruptedError,
  RunError,
  SatinError,
} from './errors.js';
export { type CheckedModel, type CheckOptions, checkModel } from './evaluation/checks/check-model.js';
export { checkResults } from './evaluation/checks/check-results.js';
export { type Flag, type FlagCode, flagCodes } from './evaluation/checks/flag.js';
export {
  type EvaluateOptions,
  type Evaluation,
  type EvaluationProgress,
  evaluate,
} from './evaluation/evaluate.js';
export { type NewEvaluationFolder, newEvaluationFolder } from './evaluation/folder/new-folder.js';
export { type StoredEvaluationFolder, storedEvaluationFolder } from './evaluation/folder/resume-folder.js';
export type { ModelUnderTest } from './evaluation/model-under-test.js';
export type {
  AloneResult,
  AttackResult,
  BatchResult,
  ClassResult,
  EngineResult,
  EvaluationResult,
  ExampleResult,
} from './evaluation/result.js';
export { mcnemar, wilsonInterval } from './evaluation/statistics.js';
export { type ModelName, modelNames } from './models/architectures/names.js';
export type { EvaluationTransform, ModelDescription } from './models/description.js';
export type { ExternalDescription } from './models/external-description.js';
export {
  type LayerSummary,
  layerSummary,
  type NetworkSummary,
} from './models/layer-summary.js';
export { type FoldOptions, Model } from './models/model.js';
export type { Preprocessing } from './models/preprocessing.js';
export { type ReleasedName, releasedNames } from './models/released-models.js';
export type { Classifier } from './nn/classifier.js';
export { crossEntropy } from './nn/losses.js';
export type { Pass } from './nn/module.js';
export { version } from './provenance/version.js';
export { type LoadRecipeOptions, loadRecipe, recipeNames } from './recipe/load-recipe.js';
export { parseRecipe, type Recipe } from './recipe/recipe.js';
export { type Checkpoint, readCheckpoint } from './runs/checkpoint.js';
export { readEvents } from './runs/event-log.js';
export type { RunEvent } from './runs/events.js';
export { cat, integers, ones, range, stack, tensor, where, zeros, zerosLike } from './tensor/create.js';
export {
  averagePool,
  type BatchNormOptions,
  batchNorm,
  conv2d,
  globalAveragePool,
  linear,
  logSoftmax,
  matmul,
  maxPool,
  pad,
  softmax,
} from './tensor/functional.js';
export { type GradientOptions, gradient, gradients, noGrad, withGrad } from './tensor/gradient.js';
export { type NoiseKey, noise, permutation, type Stream } from './tensor/noise.js';
export { keep, type Scoped, scope } from './tensor/scope.js';
export { type Dtype, type MemoryFormat, type Operand, Tensor } from './tensor/tensor.js';
export { type Epsilon, parseEpsilon } from './user-input/epsilon.js';
