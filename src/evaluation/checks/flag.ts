/**
 * Warnings about a robust accuracy. The codes are stable, since programs read them; docs/checks.md describes each. A
 * flag does not change any result.
 */
export const flagCodes = [
  // From the model's file
  'not-compared',
  // From one batch, before the attacks
  'random-model',
  'probabilities',
  'logits-not-finite',
  'depends-on-batch',
  'optimises-at-inference',
  'zero-gradients',
  'saturated-logits',
  'gradient-not-finite',
  'staircase',
  'input-scale',
  // From the attacks and their results
  'few-classes',
  'chance-accuracy',
  'blind-attack',
  'square-beats-gradient',
  'surrogate-beats-gradient',
  // From the full checks: monotonicity and the loss surface
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
  /** What was observed, what it means, and what to do. */
  readonly message: string;
}
