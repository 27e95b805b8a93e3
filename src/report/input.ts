/**
 * The content of a report. It is gathered from runs and evaluations by `app/report`; nothing in this folder reads a
 * run, loads the engine or evaluates a network.
 */

import type { EvaluationResult } from '../evaluation/result.js';
import type { NormName } from '../user-input/norm-name.js';

export interface ReportInput {
  readonly title: string;
  readonly subtitle: string;
  /** Time of creation, ISO 8601. */
  readonly generated: string;
  /** The command line that created it. */
  readonly command: string;
  /** Commit of the code; null if unknown. */
  readonly commit: string | null;
  /** `{ satin: '0.1.0', node: '20.20.2', libtorch: '1.13.1' }` */
  readonly versions: Readonly<Record<string, string>>;
  /** Processor, cores and threads, in words. */
  readonly machine: string;
  readonly seed: number;
  readonly threat: ThreatModel;
  readonly data: { readonly name: string; readonly examples: number; readonly classes: readonly string[] };
  /** One or more, in display order, which determines colour, dash and mark. */
  readonly networks: readonly ReportNetwork[];
  /** In what the runs differ that may make their results differ; empty for one network. */
  readonly differences: readonly RunDifference[];
  /** Whether the runs differ in nothing but their activation, so that their results are about it. */
  readonly isOfActivation: boolean;
  /** All pairs of networks, in their order; empty for one network. */
  readonly comparisons: readonly Comparison[];
  /** May be empty. */
  readonly gallery: readonly GalleryExample[];
  /** A caveat shown beside the verdict. */
  readonly notice: string;
}

/** Something in which runs differ: `training.epochs`, with the value of each run. */
export interface RunDifference {
  readonly what: string;
  readonly values: readonly string[];
}

export interface ThreatModel {
  readonly norm: NormName;
  readonly epsilon: number;
  /** As given by the user: `8/255`. */
  readonly epsilonText: string;
}

export interface ReportNetwork {
  /** Display name, unique in the report: `ReLU`. */
  readonly name: string;
  /** Activation in the notation of recipes: `relu`. */
  readonly activation: string;
  /** Whether its derivative is continuous, the paper's "smooth". */
  readonly isSmooth: boolean;
  /** Formula of the activation: `x · σ(x)`. */
  readonly formula?: string;
  readonly parameters: number;
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly trainingSeconds: number;
  /** A sentence on a training that its patience ended. */
  readonly stoppedEarly?: string;
  /** Where it was trained, in the order of its starts and resumptions: `cuda:0 (NVIDIA H100), tf32`. */
  readonly trainedOn: readonly string[];
  readonly epochs: readonly EpochPoint[];
  /** Of its training and of its evaluation, one sentence each. */
  readonly warnings: readonly string[];
  readonly evaluation: EvaluationResult;
  /** 95 % Wilson interval of `evaluation.clean`. */
  readonly cleanInterval: readonly [low: number, high: number];
  /** Accuracy against ε, starting with ε = 0 (clean accuracy). May be empty. */
  readonly curve: readonly CurvePoint[];
}

/** Measurements of one epoch; accuracies in [0, 1]. */
export interface EpochPoint {
  readonly epoch: number;
  readonly loss: number;
  /** Accuracy on the adversarial training examples. */
  readonly trainAccuracy: number;
  readonly validationClean: number;
  readonly validationRobust: number;
  /** The accuracy that selects the best epoch. */
  readonly chosenBy: 'validationClean' | 'validationRobust';
  readonly seconds: number;
}

export interface CurvePoint {
  readonly epsilon: number;
  readonly epsilonText: string;
  /** Robust accuracy in [0, 1]. */
  readonly robust: number;
  /** 95 % Wilson interval of `robust`. */
  readonly interval: readonly [low: number, high: number];
  readonly attack: string;
  readonly examples: number;
}

/** Exact McNemar test of the robust accuracies of two networks on the same examples. */
export interface Comparison {
  /** Names of the networks. */
  readonly first: string;
  readonly other: string;
  /** Number of examples robust for the first network only. */
  readonly onlyFirstRight: number;
  readonly onlyOtherRight: number;
  /** Holm-adjusted over the pairs of the report; the plain p-value if there is one pair. */
  readonly pValue: number;
}

export interface GalleryExample {
  readonly id: number;
  /** Display name. @default `image` and its id */
  readonly name?: string;
  /** Name of its true class. */
  readonly label: string;
  readonly image: Picture;
  readonly networks: readonly GalleryVerdict[];
}

export interface GalleryVerdict {
  /** Name of the network. */
  readonly name: string;
  /** Same shape as the image. */
  readonly adversarial: Picture;
  /** Predictions for the image and the adversarial image. */
  readonly clean: Prediction;
  readonly attacked: Prediction;
}

export interface Prediction {
  /** Name of the class. */
  readonly class: string;
  /** In [0, 1]. */
  readonly probability: number;
}

export interface Picture {
  /** 1 (grey) or 3 (RGB). */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** [C, H, W], in [0, 1]. */
  readonly data: Float32Array;
}
