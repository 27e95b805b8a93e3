import type { Prediction } from '../input.js';

/** The result of attacking a person's own images, as JSON and as the page shows it. */
export interface AttackedPictures {
  readonly satin: string;
  /** As a shell takes it. */
  readonly command: string;
  /** Version of libtorch. */
  readonly engine: string;
  /** ISO 8601. */
  readonly made: string;
  /** The model as the user named it. */
  readonly model: string;
  readonly modelDigest: string;
  readonly attack: string;
  readonly norm: 'linf' | 'l2';
  readonly epsilon: number;
  readonly epsilonText: string;
  readonly seed: number;
  readonly resize: string;
  /** Whether the user said what the pictures show, or the model did. */
  readonly labels: 'given' | 'predicted';
  readonly images: readonly AttackedPicture[];
}

export interface AttackedPicture {
  /** The file, as the user named it. */
  readonly image: string;
  /** What counts as right. */
  readonly label: string;
  /** `wrong`: it is misclassified as it is, and was not attacked. */
  readonly outcome: 'broken' | 'stood' | 'wrong';
  /** What the model says of the picture and of the adversarial one. */
  readonly before: Prediction;
  readonly after: Prediction;
  /** Between the two, in the norm. */
  readonly distance: number;
  /** The adversarial picture rounded to the 8 bits of its PNG; `fools`: it is misclassified still. */
  readonly png: Prediction & { readonly distance: number; readonly fools: boolean };
}

export const outcomeInWords = {
  broken: 'fooled',
  stood: 'withstood',
  wrong: 'wrong as it is',
} as const satisfies Record<AttackedPicture['outcome'], string>;
