import type { Precision } from '../../engine/precision-name.js';

/** Figures of a device from its data sheet. */
export interface Device {
  readonly title: string;
  /** Floating-point operations per second in matrix products, by precision; what it does not have is missing. */
  readonly rates: Readonly<Partial<Record<Precision, number>>>;
  /** Memory bandwidth in bytes per second. */
  readonly bandwidth: number;
  /** Bytes. */
  readonly memory: number;
}

/**
 * Shares of a data sheet's figures that training reaches. They scale the figures so that training a ResNet-50 has the speed
 * that NVIDIA publishes for PyTorch (DeepLearningExamples, ResNet-50 v1.5: 938 images per second on an A100 in TF32, 367 on a
 * V100 in float32). bfloat16 is assumed to reach the share of TF32, and every card that of these two.
 */
export const reached = {
  arithmetic: { float32: 0.606, tf32: 0.16, bfloat16: 0.16 } satisfies Record<Precision, number>,
  bandwidth: 0.7,
} as const;

/**
 * Devices that can be planned for without access to them: NVIDIA's data sheets, dense (without sparsity). Satin has run on
 * none of them.
 */
export const devices = {
  h100: device('NVIDIA H100 SXM', { float32: 67, tf32: 494, bfloat16: 989, bandwidth: 3.35, memory: 80 }),
  a100: device('NVIDIA A100 SXM 80 GB', {
    float32: 19.5,
    tf32: 156,
    bfloat16: 312,
    bandwidth: 2.04,
    memory: 80,
  }),
  l40s: device('NVIDIA L40S', { float32: 91.6, tf32: 183, bfloat16: 362, bandwidth: 0.864, memory: 48 }),
  v100: device('NVIDIA V100 SXM2 32 GB', { float32: 15.7, bandwidth: 0.9, memory: 32 }),
} as const satisfies Record<string, Device>;

/** A device of the table. */
export type PlannedName = keyof typeof devices;

/** From TFLOP/s, TB/s and GiB. */
function device(
  title: string,
  sheet: Readonly<Partial<Record<Precision, number>>> & {
    readonly bandwidth: number;
    readonly memory: number;
  },
): Device {
  const tera = 1e12;
  const { bandwidth, memory, ...rates } = sheet;
  return {
    title,
    rates: Object.fromEntries(Object.entries(rates).map(([precision, rate]) => [precision, rate * tera])),
    bandwidth: bandwidth * tera,
    memory: memory * 2 ** 30,
  };
}
