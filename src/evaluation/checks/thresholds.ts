/** Thresholds of the checks. docs/checks.md states each of them, and a test compares the two. */
export const thresholds = {
  /** Number of images tested, spread over the data; the full checks use the correctly classified ones of these. */
  probeImages: 32,
  /** Passes over one batch that are compared; AutoAttack's value. */
  randomPasses: 5,
  /** Distance between the normalised logits of two passes above which a model is randomized; AutoAttack's value. */
  randomDistance: 1e-4,
  /** The same distance between an image alone and in a batch: ten times larger, since rounding depends on the batch. */
  batchDistance: 1e-3,
  /** Tolerance for outputs to count as a probability distribution; AutoAttack's value. */
  probability: 1e-5,
  /** Fraction of images with a gradient of exactly 0 that is acceptable: a ReLU network may be dead on an image. */
  zeroGradients: 0.05,
  /** Fraction of small steps that may leave all logits exactly unchanged. */
  staircase: 0.1,
  /** Gain in accuracy with another scaling of the pixels, and p-value of McNemar's test, for a flag. */
  scaleGain: 0.1,
  scaleChance: 0.01,
  /** Required clean accuracy on a scale from chance (0) to perfect (1), and the number of images needed to test it. */
  aboveChance: 0.1,
  chanceImages: 20,
  /**
   * Fraction of all examples that an attack without the network's gradient may break after the others; AutoAttack's
   * value.
   */
  beatsGradient: 0.002,
  /** Tolerance of the monotonicity checks, as a fraction of the images and as a minimum number. */
  monotoneShare: 0.05,
  monotoneImages: 2,
  /** Fraction of images on which a random direction may raise the margin more than the gradient does. */
  noiseWins: 0.25,
  /** Bounds on the median over images of measured rise / predicted rise of the margin. */
  slopeLow: 0.5,
  slopeHigh: 2,
} as const;
