/** Where the checks draw their lines. docs/checks.md states each of these, and a test compares the two. */
export const thresholds = {
  /** Images that are looked at, spread over the data; the full set takes the rightly classified of these. */
  probeImages: 32,
  /** Passes of one batch that are compared; AutoAttack's number. */
  randomPasses: 5,
  /** Distance of two passes' logits, each divided by its Euclidean norm, above which a model is random; AutoAttack's number. */
  randomDistance: 1e-4,
  /** The same distance between an image alone and in a batch: ten times as much, since rounding depends on the batch. */
  batchDistance: 1e-3,
  /** How far outputs may lie from a probability distribution and still be one; AutoAttack's number. */
  probability: 1e-5,
  /** Share of images with a gradient of exactly 0 that is still normal: a ReLU network may be dead on one image. */
  zeroGradients: 0.05,
  /** Share of tiny steps that may leave all logits as they were, to the bit. */
  staircase: 0.1,
  /** How much accuracy another scale of the pixels must win; and by McNemar's test its probability must be below the next. */
  scaleGain: 0.1,
  scaleChance: 0.01,
  /** How far from guessing (0) to perfect (1) a clean accuracy must be; judged from so many images on. */
  aboveChance: 0.1,
  chanceImages: 20,
  /** Share of all examples that an attack without the network's gradient may break after those with it; AutoAttack's number. */
  beatsGradient: 0.002,
  /** By which share of the images, and how many at least, a comparison of the monotone set may go wrong by luck. */
  monotoneShare: 0.05,
  monotoneImages: 2,
  /** Share of images on which a random direction may raise the margin more than the gradient's does. */
  noiseWins: 0.25,
  /** The median over images of measured rise / rise that the gradient promises lies between these two. */
  slopeLow: 0.5,
  slopeHigh: 2,
} as const;
