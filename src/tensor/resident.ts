import { deviceMemory } from '../engine/device.js';

/** What stays on a card for long takes at most this share of its memory. */
const share = 0.25;

/** Where to keep `bytes` that are used on `device`: there, or on the CPU if they take more than a quarter of its memory. */
export function residenceOf(bytes: number, device: string): string {
  return bytes <= share * deviceMemory(device) ? device : 'cpu';
}
