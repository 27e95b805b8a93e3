import type { Attack } from './attack.js';

/**
 * A read makes a card wait until JavaScript has launched its next operators, so an attack on a card is only looked at from
 * time to time. Until then examples that are broken remain in the batch: at most 9 iterates of a gradient attack, and at
 * most 49 of the 5000 queries of Square, 1 %, whose queries are a forward pass only.
 */
const onCard = { gradient: 10, square: 50 } as const;

/**
 * Number of iterates from one check for broken examples to the next. On the CPU, where a read costs nothing, it is 1:
 * examples leave as soon as they are broken.
 */
export function checkInterval(kind: Attack['kind'], device: string): number {
  if (device === 'cpu') return 1;
  return kind === 'square' ? onCard.square : onCard.gradient;
}
