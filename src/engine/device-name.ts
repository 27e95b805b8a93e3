/** `cuda` is the first card. */
export type DeviceName = 'cpu' | 'cuda' | `cuda:${number}`;

/** The names of devices. */
export const deviceNamePattern = /^(cpu|cuda(:\d{1,3})?)$/;

/** Whether a text names a device: `cpu`, `cuda` for the first card, `cuda:1` for another. */
export function isDeviceName(name: string): name is DeviceName {
  return deviceNamePattern.test(name);
}
