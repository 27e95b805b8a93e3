import type { Precision } from '../engine/precision-name.js';
import type { SearchPath } from '../nn/search-path.js';
import type { NormName } from '../user-input/norm-name.js';

/**
 * The result of an evaluation as JSON. Its fields are stable, since other programs read them.
 */
export interface EvaluationResult {
  readonly satin: string;
  /** The model as given by the user. */
  readonly model: string;
  /** `sha256:` of the weights file. */
  readonly modelDigest: string;
  /** From which point of its training the weights are; null if the file does not say. */
  readonly weights: WeightsResult | null;
  /** `fashion-mnist:test` */
  readonly data: string;
  /** `sha256:` over ids, labels and pixels of the evaluated examples. */
  readonly pixelsDigest: string;
  readonly examples: number;
  readonly norm: NormName;
  readonly epsilon: number;
  /** As given by the user: `8/255`. */
  readonly epsilonText: string;
  readonly seed: number;
  /** The AutoAttack set that the attacks match exactly; otherwise `custom`. */
  readonly mode: 'standard' | 'plus' | 'rand' | 'custom';
  /** Clean accuracy, 0 to 1. */
  readonly clean: number;
  /**
   * Fraction of examples that are classified correctly and that no attack broke, 0 to 1; without those on which an attack
   * could not work.
   */
  readonly robust: number;
  /** 95 % Wilson interval of `robust`. */
  readonly interval: readonly [low: number, high: number];
  /** One entry per class that has examples, in label order. */
  readonly perClass: readonly ClassResult[];
  readonly attacks: readonly AttackResult[];
  readonly flags: readonly { readonly code: string; readonly message: string }[];
  /** What was found odd before anything was measured, one sentence each: files that were passed over, classes without images. */
  readonly warnings: readonly string[];
  readonly perExample: readonly ExampleResult[];
  /** Batch size; verdicts do not depend on it. */
  readonly batch: BatchResult;
  /** Compute environment. */
  readonly engine: EngineResult;
  /** In which the attacks searched, and in which the model decided whether an image is misclassified. */
  readonly precision: { readonly search: Precision; readonly verdict: 'float32' };
  /** What ran the network that the attacks searched on. */
  readonly search: SearchPath;
  /** The command line in shell syntax. */
  readonly command: string;
  /** Time of the clean pass and the attacks, without batches that were interrupted and repeated. */
  readonly seconds: number;
}

export interface WeightsResult {
  /** `best` by validation, `last`, or `healthy`: the last before catastrophic overfitting. */
  readonly kept: string;
  /** Whole epochs, and steps, before them. */
  readonly epoch: number;
  readonly step: number;
  /** Whole epochs that the run has trained, and shall train; null for a checkpoint that was taken out of its run. */
  readonly run: { readonly epochs: number; readonly planned: number } | null;
}

export interface ClassResult {
  readonly label: number;
  readonly class: string;
  readonly examples: number;
  /** Accuracies on these examples, 0 to 1. */
  readonly clean: number;
  readonly robust: number;
}

export interface BatchResult {
  readonly size: number;
  /** Throughput in images per second, forward and backward, by batch size; null if the size was given. */
  readonly measured: Readonly<Record<string, number>> | null;
}

export interface EngineResult {
  readonly libtorch: string;
  /** CPU instruction set of the kernels. */
  readonly capability: string;
  readonly threads: number;
  /** `cpu`, `cuda:0` */
  readonly device: string;
  /** The card as NVIDIA calls it; null for the CPU. */
  readonly card: string | null;
  readonly node: string;
  /** Commit of Satin's repository; null outside a clone. */
  readonly commit: string | null;
}

export interface AttackResult {
  readonly name: string;
  readonly loss: string;
  readonly steps: number;
  /** null if the attack adapts it. */
  readonly stepSize: number | null;
  readonly restarts: number;
  /** Gradients averaged per step; only if more than one. */
  readonly eot?: number;
  /** Images whose iterates repeated left the attack; only if so. */
  readonly cycles?: true;
  /** By what the target classes were chosen, if not by their logits. */
  readonly targetsBy?: 'slope';
  /** Activation used as surrogate derivative; only if there is one. */
  readonly surrogate?: string;
  /** Number of target classes, one at a time; 0 if untargeted. */
  readonly targets: number;
  /** Number of examples attacked, i.e. still robust before it, and number it broke. */
  readonly attacked: number;
  readonly broken: number;
  /** Robust accuracy after this attack, over all examples. */
  readonly robustAfter: number;
  /** Images passed forward and backward through the network. */
  readonly forwards: number;
  readonly backwards: number;
  readonly seconds: number;
  /** Result on all correctly classified examples, including those broken by earlier attacks; only with `alone`. */
  readonly alone?: AloneResult;
}

export interface AloneResult {
  readonly attacked: number;
  readonly broken: number;
  /** Total cost, including that of the sequential run. */
  readonly forwards: number;
  readonly backwards: number;
  readonly seconds: number;
}

export interface ExampleResult {
  readonly id: number;
  /** Its file, relative to the folder of images; only of a folder. */
  readonly file?: string;
  readonly label: number;
  /** The class predicted for the clean image; absent of a randomised model. */
  readonly predicted?: string;
  /** The class predicted for the adversarial image; only if an attack broke it. */
  readonly attacked?: string;
  /** Whether the clean image is classified correctly. */
  readonly clean: boolean;
  /** The first attack that broke it; null if none did or the clean image is misclassified. */
  readonly brokenBy: string | null;
  /** No attack broke it, but one could not work on it: no gradient was finite. It does not count as robust. */
  readonly blind?: true;
}
