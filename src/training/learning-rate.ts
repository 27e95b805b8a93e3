/** How the learning rate goes over a run. `warmup` and `milestones` are in epochs, in parts too. */
export type Schedule =
  | { readonly name: 'constant'; readonly learningRate: number; readonly warmup: number }
  | {
      readonly name: 'step';
      readonly learningRate: number;
      readonly warmup: number;
      readonly milestones: readonly number[];
      readonly factor: number;
    }
  | {
      readonly name: 'cosine' | 'one-cycle';
      readonly learningRate: number;
      readonly warmup: number;
      readonly final: number;
    };

/**
 * The learning rate of step `step` (from 0). It rises linearly from 0 to its peak over the warm-up; then it stays
 * (`constant`), is multiplied by `factor` at each milestone (`step`), falls along half a cosine to `final` (`cosine`;
 * Loshchilov and Hutter, 2017) or falls linearly to `final` (`one-cycle`; Smith, 2018).
 */
export function learningRateAt(
  schedule: Schedule,
  place: { readonly step: number; readonly stepsPerEpoch: number; readonly epochs: number },
): number {
  const { step, stepsPerEpoch, epochs } = place;
  const { learningRate: peak } = schedule;
  const warm = schedule.warmup * stepsPerEpoch;
  if (step < warm) return (peak * step) / warm;
  const fraction = (step - warm) / (epochs * stepsPerEpoch - warm); // of what comes after the warm-up
  switch (schedule.name) {
    case 'constant':
      return peak;
    case 'step':
      return (
        peak * schedule.factor ** schedule.milestones.filter((epoch) => step >= epoch * stepsPerEpoch).length
      );
    case 'cosine':
      return schedule.final + ((peak - schedule.final) * (1 + Math.cos(Math.PI * fraction))) / 2;
    case 'one-cycle':
      return peak + (schedule.final - peak) * fraction;
  }
}
