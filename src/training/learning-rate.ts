interface Warmup {
  readonly warmup: number;
  /** Learning rate at the start of the warm-up; none takes place if it is not below the peak. @default 0 */
  readonly warmupFrom?: number;
}

/** Learning rate schedules. `warmup` and `milestones` are in epochs, possibly fractional. */
export type Schedule = Warmup &
  (
    | { readonly name: 'constant'; readonly learningRate: number }
    | {
        readonly name: 'step';
        readonly learningRate: number;
        readonly milestones: readonly number[];
        readonly factor: number;
      }
    | {
        readonly name: 'cosine' | 'one-cycle';
        readonly learningRate: number;
        readonly final: number;
      }
  );

/**
 * The learning rate of step `step` (from 0). It rises linearly from `warmupFrom` to its peak during the warm-up, by
 * step (Goyal et al., 2017, from the rate of one worker), and then is constant (`constant`), is multiplied by `factor` at each milestone (`step`), decays along half a cosine to `final`
 * (`cosine`; Loshchilov and Hutter, 2017) or decays linearly to `final` (`one-cycle`; Smith, 2018).
 */
export function learningRateAt(
  schedule: Schedule,
  position: { readonly step: number; readonly stepsPerEpoch: number; readonly epochs: number },
): number {
  const { step, stepsPerEpoch, epochs } = position;
  const { learningRate: peak, warmupFrom: from = 0 } = schedule;
  const warm = from < peak ? schedule.warmup * stepsPerEpoch : 0;
  if (step < warm) return from + ((peak - from) * step) / warm;
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
