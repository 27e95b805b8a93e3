/**
 * The result of an evaluation as JSON. Its fields are stable: other programs read them.
 */
export interface EvaluationResult {
  readonly satin: string;
  /** The model as the user named it. */
  readonly model: string;
  /** `sha256:` of the weights file. */
  readonly modelDigest: string;
  /** `fashion-mnist:test` */
  readonly data: string;
  /** `sha256:` over ids, labels and pixels of the examples that were used. */
  readonly pixelsDigest: string;
  readonly examples: number;
  readonly norm: 'linf' | 'l2';
  readonly epsilon: number;
  /** As the user wrote it: `8/255`. */
  readonly epsilonText: string;
  readonly seed: number;
  /** `standard`, `plus` and `rand` are AutoAttack's sets, to the letter; anything else is `custom`. */
  readonly mode: 'standard' | 'plus' | 'rand' | 'custom';
  /** Accuracy on the images as they are, 0 to 1. */
  readonly clean: number;
  /** Share of examples that no attack broke (a clean error counts as broken), 0 to 1. */
  readonly robust: number;
  /** 95 % Wilson interval of `robust`. */
  readonly interval: readonly [low: number, high: number];
  /** Of each class that has examples, in the order of the labels. */
  readonly perClass: readonly ClassResult[];
  readonly attacks: readonly AttackResult[];
  readonly flags: readonly { readonly code: string; readonly message: string }[];
  readonly perExample: readonly ExampleResult[];
  /** Images a batch; verdicts do not depend on it. */
  readonly batch: BatchResult;
  /** What was computed with. */
  readonly engine: EngineResult;
  /** The command line, as a shell takes it. */
  readonly command: string;
  /** Of the clean pass and the attacks, without those that a killed process spent on batches that were done again. */
  readonly seconds: number;
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
  /** Images a second, forward and backward, of each size that was tried; null where the size was given. */
  readonly measured: Readonly<Record<string, number>> | null;
}

export interface EngineResult {
  readonly libtorch: string;
  /** The instruction set of its kernels. */
  readonly capability: string;
  readonly threads: number;
  readonly device: string;
  readonly node: string;
  /** Commit of Satin's own repository; null where it is no clone. */
  readonly commit: string | null;
}

export interface AttackResult {
  readonly name: string;
  readonly loss: string;
  readonly steps: number;
  /** null where the attack chooses its own. */
  readonly stepSize: number | null;
  readonly restarts: number;
  /** Passes whose gradients it averaged in each step; only where they are more than one. */
  readonly eot?: number;
  /** The activation whose derivative it went through; only where that is not the network's own. */
  readonly surrogate?: string;
  /** How many other classes it aimed at, one after the other; 0 for none. */
  readonly targets: number;
  /** How many examples were still standing when it began, and how many of those it broke. */
  readonly attacked: number;
  readonly broken: number;
  /** Robust accuracy after it, over all examples. */
  readonly robustAfter: number;
  /** Images passed forward and backward through the network. */
  readonly forwards: number;
  readonly backwards: number;
  readonly seconds: number;
  /** What it did on all rightly classified examples, those that others broke before it too; only with `alone`. */
  readonly alone?: AloneResult;
}

export interface AloneResult {
  readonly attacked: number;
  readonly broken: number;
  /** What this cost in all, with what the sequence spent on it. */
  readonly forwards: number;
  readonly backwards: number;
  readonly seconds: number;
}

export interface ExampleResult {
  readonly id: number;
  readonly label: number;
  /** Classified rightly as it is. */
  readonly clean: boolean;
  /** The first attack that broke it; null where none did or it was wrong already. */
  readonly brokenBy: string | null;
}
