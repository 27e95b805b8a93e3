/** `cuda` is the first card. */
export type DeviceName = 'cpu' | 'cuda' | `cuda:${number}`;

/** Whether a text names a device: `cpu`, `cuda` for the first card, `cuda:1` for another. */
export function isDeviceName(name: string): name is DeviceName {
  return /^(cpu|cuda(:\d{1,3})?)$/.test(name);
}
