/** Figures of a device from its data sheet. */
export interface Device {
  readonly title: string;
  /** Floating-point operations per second in matrix products of float32, which the engine computes in TF32 there. */
  readonly float32: number;
  /** Memory bandwidth in bytes per second. */
  readonly bandwidth: number;
  /** Bytes. */
  readonly memory: number;
  /** Shares of these figures that training reaches. */
  readonly reached: { readonly arithmetic: number; readonly bandwidth: number };
}

/**
 * Devices that can be planned for without access to them: NVIDIA's data sheets, dense (without sparsity). Satin has run on
 * none of them. `reached` scales the figures so that training a ResNet-50 in float32 has the speed that NVIDIA publishes for
 * PyTorch (DeepLearningExamples, ResNet-50 v1.5: 938 images per second on an A100, 367 on a V100); the two others are
 * assumed to reach the share of the A100, whose arithmetic is of the same kind.
 */
export const devices = {
  h100: device('NVIDIA H100 SXM', { float32: 494, bandwidth: 3.35, memory: 80, reached: 0.16 }),
  a100: device('NVIDIA A100 SXM 80 GB', { float32: 156, bandwidth: 2.04, memory: 80, reached: 0.16 }),
  l40s: device('NVIDIA L40S', { float32: 183, bandwidth: 0.864, memory: 48, reached: 0.16 }),
  v100: device('NVIDIA V100 SXM2 32 GB', { float32: 15.7, bandwidth: 0.9, memory: 32, reached: 0.606 }),
} as const satisfies Record<string, Device>;

export type DeviceName = keyof typeof devices;

/** From TFLOP/s, TB/s and GiB. */
function device(
  title: string,
  sheet: {
    readonly float32: number;
    readonly bandwidth: number;
    readonly memory: number;
    readonly reached: number;
  },
): Device {
  const tera = 1e12;
  return {
    title,
    float32: sheet.float32 * tera,
    bandwidth: sheet.bandwidth * tera,
    memory: sheet.memory * 2 ** 30,
    reached: { arithmetic: sheet.reached, bandwidth: 0.7 },
  };
}
