/** What the server answers and the page reads, as JSON. Runs and evaluations are named by their path below the served folder. */

import type { AttackResult, ClassResult, EvaluationResult } from '../evaluation/result.js';
import type { NormName } from '../user-input/norm-name.js';

/**
 * `training`: its process gives signs of life; `interrupted`: by Ctrl-C; `failed`: it said why; `stale`: it ended
 * without a word, or was copied from elsewhere.
 */
export type RunStatus = 'training' | 'finished' | 'interrupted' | 'failed' | 'stale';

/** A run in the list. null stands for what the run folder does not tell. */
export interface RunSummary {
  readonly id: string;
  /** Name and seed of its recipe. */
  readonly name: string;
  readonly seed: number | null;
  readonly status: RunStatus;
  /** Completed epochs. */
  readonly epoch: number;
  readonly epochs: number | null;
  readonly step: number;
  readonly stepsPerEpoch: number | null;
  /** The epoch of the best checkpoint so far, and its accuracies, 0 to 1. */
  readonly best: {
    readonly epoch: number;
    readonly clean: number | null;
    readonly robust: number | null;
  } | null;
  /** Of the last logged step. */
  readonly loss: number | null;
  readonly imagesPerSecond: number | null;
  /** Estimated time until the last epoch ends; null unless it is training. */
  readonly secondsLeft: number | null;
  /** ISO 8601 */
  readonly started: string | null;
  readonly updated: string | null;
  readonly architecture: string | null;
  readonly activation: string | null;
  readonly objective: string | null;
  readonly data: string | null;
  /** `L∞, ε = 8/255` */
  readonly threat: string | null;
  /** Messages of the guards and other warnings so far. */
  readonly warnings: number;
  /** Whether the whole log has been read: until then `best` and `warnings` cover a part of it. */
  readonly isWhole: boolean;
}

/** A folder of `satin demo`, whose networks are attacked in the browser at /demo/ID/. */
export interface DemoSummary {
  readonly id: string;
  /** Of its networks. */
  readonly titles: readonly string[];
  /** Where its images come from. */
  readonly data: string;
}

/** An evaluation in the list. */
export interface EvaluationSummary {
  readonly id: string;
  readonly model: string;
  readonly data: string;
  readonly threat: string;
  readonly epsilon: number;
  readonly attacks: readonly string[];
  readonly examples: number;
  readonly isFinished: boolean;
  /** 0 to 1; null until it is finished. */
  readonly clean: number | null;
  readonly robust: number | null;
  /** ISO 8601 */
  readonly started: string;
}

export interface Listing {
  /** Path of the served folder. */
  readonly folder: string;
  readonly runs: readonly RunSummary[];
  readonly evaluations: readonly EvaluationSummary[];
  readonly demos: readonly DemoSummary[];
  /** Whether the folder holds more than is listed. */
  readonly isCut: boolean;
}

/** What changed since the last message of the live stream. */
export interface ListingChange {
  readonly runs: readonly RunSummary[];
  readonly evaluations: readonly EvaluationSummary[];
  readonly demos: readonly DemoSummary[];
  /** Ids of runs, evaluations and demos that are gone. */
  readonly gone: readonly string[];
}

/** A completed epoch. */
export interface EpochRecord {
  readonly epoch: number;
  readonly step: number;
  readonly seconds: number | null;
  /** By name, as in the log: `validation/robust/linf-8-255/pgd-10`. */
  readonly measurements: Readonly<Record<string, number | null>>;
}

/** A message of a guard, a failure, or what else interrupts the steps. */
export interface RunMessage {
  readonly type: 'start' | 'resume' | 'warning' | 'failed' | 'interrupted' | 'end';
  readonly time: string;
  readonly step: number;
  readonly text: string;
}

export interface RunDetails {
  readonly summary: RunSummary;
  /** The recipe as YAML. */
  readonly recipe: string;
  /** Name and value of each fact of the manifest. */
  readonly provenance: readonly (readonly [name: string, value: string])[];
  readonly parameters: number | null;
  /** The latest, of a log with more epochs than are kept. */
  readonly epochs: readonly EpochRecord[];
  /** The latest, oldest first. */
  readonly messages: readonly RunMessage[];
  /** Number of lines of the log that are no events. */
  readonly brokenLines: number;
  /** Evaluations in the run folder. */
  readonly evaluations: readonly EvaluationSummary[];
}

/** The steps of a run, in buckets; of each quantity the mean, lowest and highest value in each bucket. */
export interface Curves {
  /** Last step of each bucket, ascending. */
  readonly step: readonly number[];
  /** Seconds since the run started. */
  readonly seconds: readonly number[];
  readonly loss: Band;
  readonly accuracy: Band;
  readonly learningRate: Band;
  readonly imagesPerSecond: Band;
  /** ε of the training attack with its warm-up; empty without an attack. */
  readonly epsilon: readonly number[];
  readonly stepsPerEpoch: number | null;
  /** Number of logged steps behind a bucket: 1 if every step is shown. */
  readonly stepsPerBucket: number;
  /** Share of the log that has been read; what follows are samples. */
  readonly read: number;
}

export interface Band {
  readonly mean: readonly (number | null)[];
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

export interface Comparison {
  readonly runs: readonly RunSummary[];
  /** Keys of the recipes whose values differ; `undefined` as null where a recipe lacks the key. */
  readonly recipe: readonly Difference[];
  /** The same for facts of the manifests. */
  readonly provenance: readonly Difference[];
  /** Epochs of each run. */
  readonly epochs: readonly (readonly EpochRecord[])[];
}

/** A dotted key, and its value in each run. */
export interface Difference {
  readonly key: string;
  readonly values: readonly (string | null)[];
}

export interface EvaluationDetails {
  readonly summary: EvaluationSummary;
  readonly norm: NormName;
  readonly epsilonText: string;
  /** null until it is finished. */
  readonly result: Omit<EvaluationResult, 'perExample' | 'attacks' | 'perClass'> | null;
  readonly cleanInterval: readonly [low: number, high: number] | null;
  readonly attacks: readonly AttackResult[];
  readonly perClass: readonly ClassResult[];
  /** Decided so far, for one that is not finished. */
  readonly progress: {
    readonly right: number;
    readonly wrong: number;
    readonly attacks: readonly { readonly name: string; readonly broken: number; readonly stood: number }[];
  };
  /** null if the evaluation does not tell what was predicted. */
  readonly confusion: Confusion | null;
  /** Images by outcome: withstood, broken by each attack, misclassified without attack. */
  readonly outcomes: readonly { readonly name: string; readonly count: number }[];
  /** Finished evaluations of the same weights, images and attacks, by ε; this one is among them. */
  readonly curve: readonly {
    readonly id: string;
    readonly epsilon: number;
    readonly epsilonText: string;
    readonly robust: number;
    readonly interval: readonly [number, number];
  }[];
  readonly warnings: readonly string[];
  readonly classes: readonly string[];
  readonly command: string;
  /** Of the gallery: images with an adversarial example, by label and by attack. */
  readonly found: {
    readonly total: number;
    readonly byClass: readonly (readonly [label: number, count: number])[];
    readonly byAttack: readonly (readonly [attack: string, count: number])[];
  };
}

/** Without attack, and under attack. */
export type Confusion = Readonly<Record<'clean' | 'attacked', ConfusionCounts>>;

export interface ConfusionCounts {
  /** Of the rows and columns of the matrix. */
  readonly classes: readonly string[];
  /** [true class][predicted class]; null of many classes. */
  readonly matrix: readonly (readonly number[])[] | null;
  /** The most frequent first. */
  readonly mistakes: readonly { readonly from: string; readonly to: string; readonly count: number }[];
}

/** A page of the gallery. */
export interface Gallery {
  readonly total: number;
  /** From 1. */
  readonly page: number;
  readonly pages: number;
  readonly examples: readonly GalleryEntry[];
  readonly width: number;
  readonly height: number;
  /** By which the perturbations are magnified. */
  readonly factor: number;
}

export interface GalleryEntry {
  readonly id: number;
  readonly label: number;
  readonly class: string;
  readonly attack: string;
  /** Its file, in an evaluation of a folder of images. */
  readonly file: string | null;
  /** The class for which the attacked image is taken; null if the evaluation does not tell. */
  readonly predicted: string | null;
  /** Number of the adversarial image in its folder. */
  readonly image: number;
}
