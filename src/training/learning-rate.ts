/** Learning rate schedules. `warmup` and `milestones` are in epochs, possibly fractional. */
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
 * The learning rate of step `step` (from 0). It rises linearly from 0 to its peak during the warm-up, and then is
 * constant (`constant`), is multiplied by `factor` at each milestone (`step`), decays along half a cosine to `final`
 * (`cosine`; Loshchilov and Hutter, 2017) or decays linearly to `final` (`one-cycle`; Smith, 2018).
 */
export function learningRateAt(
  schedule: Schedule,
  position: { readonly step: number; readonly stepsPerEpoch: number; readonly epochs: number },
): number {
  const { step, stepsPerEpoch, epochs } = position;
  const { learningRate: peak } = schedule;
  const warm = schedule.warmup * stepsPerEpoch;
  if (step < warm) return (peak * step) / warm;
  const fraction = (step - warm) / (epochs * stepsPerEpoch - warm); // of the steps after the warm-up
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
