/**
 * What a report is made of. The command line gathers it from runs and evaluations; nothing in this folder
 * reads a run, loads the engine or computes a measurement.
 */
import type { EvaluationResult } from '../evaluation/result.js';

export interface ReportInput {
  readonly title: string;
  readonly subtitle: string;
  /** When it was made, ISO 8601. */
  readonly generated: string;
  /** The exact command that made it. */
  readonly command: string;
  /** Commit of the code; null where it is not known. */
  readonly commit: string | null;
  /** `{ satin: '0.1.0', node: '20.20.2', libtorch: '1.13.1' }` */
  readonly versions: Readonly<Record<string, string>>;
  /** Processor, cores and threads, in words. */
  readonly machine: string;
  readonly seed: number;
  readonly threat: ThreatModel;
  readonly data: { readonly name: string; readonly examples: number; readonly classes: readonly string[] };
  /** One or more, in the order in which they are shown; the order chooses colour, dash and mark. */
  readonly networks: readonly ReportNetwork[];
  /** Left out where it was not computed; it compares the first two networks. */
  readonly comparison?: Comparison;
  /** May be empty. */
  readonly gallery: readonly GalleryExample[];
  /** What the reader must not conclude; shown beside the verdict. */
  readonly notice: string;
}

export interface ThreatModel {
  readonly norm: 'linf' | 'l2';
  readonly epsilon: number;
  /** As the user wrote it: `8/255`. */
  readonly epsilonText: string;
}

export interface ReportNetwork {
  /** How the reader knows it: `ReLU`. Differs from the other networks' names. */
  readonly name: string;
  /** Its activation as the recipe names it: `relu`. */
  readonly activation: string;
  /** Of the activation: `x · σ(x)`. */
  readonly formula?: string;
  readonly parameters: number;
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly trainingSeconds: number;
  readonly epochs: readonly EpochPoint[];
  readonly evaluation: EvaluationResult;
  /** 95 % Wilson interval of `evaluation.clean`. */
  readonly cleanInterval: readonly [low: number, high: number];
  /** Accuracy against ε; put ε = 0 (the images as they are) first. May be empty. */
  readonly curve: readonly CurvePoint[];
}

/** Accuracies are shares, 0 to 1. */
export interface EpochPoint {
  readonly epoch: number;
  readonly loss: number;
  /** On the adversarial examples it was trained on. */
  readonly trainAccuracy: number;
  readonly validationClean: number;
  readonly validationRobust: number;
  /** The accuracy by which training chose the epoch to keep. */
  readonly chosenBy: 'validationClean' | 'validationRobust';
  readonly seconds: number;
}

export interface CurvePoint {
  readonly epsilon: number;
  readonly epsilonText: string;
  /** Share of the examples that withstood the attack, 0 to 1. */
  readonly robust: number;
  /** 95 % Wilson interval of `robust`. */
  readonly interval: readonly [low: number, high: number];
  readonly attack: string;
  readonly examples: number;
}

/** Exact McNemar over the verdicts under attack of the first two networks, on the same examples. */
export interface Comparison {
  /** Examples that withstood the attack in the first network only. */
  readonly onlyFirstRight: number;
  readonly onlyOtherRight: number;
  readonly pValue: number;
}

export interface GalleryExample {
  readonly id: number;
  /** What it is called. @default `image` and its id */
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
  /** What it says of the image, and of the adversarial image. */
  readonly clean: Prediction;
  readonly attacked: Prediction;
}

export interface Prediction {
  /** Name of the class. */
  readonly class: string;
  /** 0 to 1. */
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
