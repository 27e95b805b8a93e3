/** What a data sheet says of a device. */
export interface Device {
  readonly title: string;
  /** Floating-point operations a second of matrix products: of float32 numbers as the engine takes them there (TF32). */
  readonly float32: number;
  /** The same of bfloat16 numbers. */
  readonly bfloat16: number;
  /** Bytes a second between memory and processor. */
  readonly bandwidth: number;
  /** Bytes. */
  readonly memory: number;
}

const tera = 1e12;
const gibi = 2 ** 30;

/**
 * Devices that a plan can be made for without having them: NVIDIA's data sheets, dense (without sparsity). Nothing of this
 * was measured by Satin.
 */
export const devices = {
  h100: {
    title: 'NVIDIA H100 SXM',
    float32: 494 * tera,
    bfloat16: 989 * tera,
    bandwidth: 3.35 * tera,
    memory: 80 * gibi,
  },
  a100: {
    title: 'NVIDIA A100 SXM 80 GB',
    float32: 156 * tera,
    bfloat16: 312 * tera,
    bandwidth: 2.04 * tera,
    memory: 80 * gibi,
  },
  l40s: {
    title: 'NVIDIA L40S',
    float32: 183 * tera,
    bfloat16: 362 * tera,
    bandwidth: 0.864 * tera,
    memory: 48 * gibi,
  },
  v100: {
    title: 'NVIDIA V100 SXM2 32 GB',
    float32: 15.7 * tera,
    bfloat16: 15.7 * tera,
    bandwidth: 0.9 * tera,
    memory: 32 * gibi,
  },
} as const satisfies Record<string, Device>;

export type DeviceName = keyof typeof devices;

/** Share of a data sheet's figures that a well-fed training step is taken to reach: an assumption, not a measurement. */
export const reached = { arithmetic: 0.4, bandwidth: 0.7 };
