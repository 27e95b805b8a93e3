import type { NormName } from '../../user-input/norm-name.js';
import type { Prediction } from '../input.js';

/** The result of `satin attack`, written as JSON and shown on the page. */
export interface AttackedPictures {
  readonly satin: string;
  /** The command line, quoted for a shell. */
  readonly command: string;
  /** Version of libtorch. */
  readonly engine: string;
  readonly device: string;
  /** The card as NVIDIA calls it; null for the CPU. */
  readonly card: string | null;
  /** ISO 8601. */
  readonly made: string;
  /** The model argument as given. */
  readonly model: string;
  readonly modelDigest: string;
  readonly attack: string;
  readonly norm: NormName;
  readonly epsilon: number;
  readonly epsilonText: string;
  readonly seed: number;
  readonly resize: string;
  /** Whether the labels were given or are the model's predictions. */
  readonly labels: 'given' | 'predicted';
  readonly images: readonly AttackedPicture[];
  /** What is odd about the images' files, one sentence each. */
  readonly warnings: readonly string[];
}

export interface AttackedPicture {
  /** The image argument as given. */
  readonly image: string;
  /** Name of the true class, or of the predicted one without a given label. */
  readonly label: string;
  /** `wrong`: misclassified without attack, and therefore not attacked. */
  readonly outcome: 'broken' | 'stood' | 'wrong';
  /** Predictions for the image and the adversarial image. */
  readonly before: Prediction;
  readonly after: Prediction;
  /** Distance between the two in the norm. */
  readonly distance: number;
  /** The adversarial image rounded to the 8 bits of its PNG; `fools`: still misclassified. */
  readonly png: Prediction & { readonly distance: number; readonly fools: boolean };
}

export const outcomeInWords = {
  broken: 'fooled',
  stood: 'withstood',
  wrong: 'misclassified',
} as const satisfies Record<AttackedPicture['outcome'], string>;
