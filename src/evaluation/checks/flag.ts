/**
 * What a reader of a robust accuracy should know. Stable: programs read these, and docs/checks.md has a paragraph for each.
 * A flag changes no number.
 */
export const flagCodes = [
  // Seen on one batch, before the attacks
  'random-model',
  'probabilities',
  'depends-on-batch',
  'optimises-at-inference',
  'zero-gradients',
  'saturated-logits',
  'gradient-not-finite',
  'staircase',
  'input-scale',
  // Seen in the attacks and their results
  'few-classes',
  'chance-accuracy',
  'square-beats-gradient',
  'surrogate-beats-gradient',
  // Of the full checks: the monotone set and the loss around the images
  'more-steps-are-weaker',
  'larger-epsilon-is-weaker',
  'zero-epsilon-breaks',
  'huge-epsilon-stands',
  'black-box-beats-white-box',
  'noise-beats-attack',
  'gradient-no-better-than-noise',
  'gradient-is-not-the-slope',
] as const;

export type FlagCode = (typeof flagCodes)[number];

export interface Flag {
  readonly code: FlagCode;
  /** What was seen, what it means, and what to do next. */
  readonly message: string;
}
