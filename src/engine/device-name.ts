/** Whether a text names a device: `cpu`, `cuda` for the first card, `cuda:1` for another. */
export function isDeviceName(name: string): boolean {
  return /^(cpu|cuda(:\d{1,3})?)$/.test(name);
}

/** Devices of one kind compute the same bits: `cuda:1` is of the kind `cuda`. */
export function deviceKind(name: string): string {
  return name.replace(/:.*/, '');
}
