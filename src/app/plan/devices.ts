/** What a data sheet says of a device. */
export interface Device {
  readonly title: string;
  /** Floating-point operations a second of matrix products: of float32 numbers as the engine takes them there (TF32). */
  readonly float32: number;
  /** Bytes a second between memory and processor. */
  readonly bandwidth: number;
  /** Bytes. */
  readonly memory: number;
  /** Shares of those figures that training reaches. */
  readonly reached: { readonly arithmetic: number; readonly bandwidth: number };
}

/**
 * Devices that a plan can be made for without having them: NVIDIA's data sheets, dense (without sparsity). Satin has run on
 * none of them. `reached` is what brings the training of a ResNet-50 in float32 to the speed that NVIDIA publishes for
 * PyTorch (DeepLearningExamples, ResNet-50 v1.5: 938 images a second on an A100, 367 on a V100); the two others are taken to
 * reach the share of the A100, which has arithmetic of the same kind.
 */
export const devices = {
  h100: device('NVIDIA H100 SXM', { float32: 494, bandwidth: 3.35, memory: 80, reached: 0.16 }),
  a100: device('NVIDIA A100 SXM 80 GB', { float32: 156, bandwidth: 2.04, memory: 80, reached: 0.16 }),
  l40s: device('NVIDIA L40S', { float32: 183, bandwidth: 0.864, memory: 48, reached: 0.16 }),
  v100: device('NVIDIA V100 SXM2 32 GB', { float32: 15.7, bandwidth: 0.9, memory: 32, reached: 0.606 }),
} as const satisfies Record<string, Device>;

export type DeviceName = keyof typeof devices;

/** From trillions a second, and gibibytes. */
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
