import type { NormName } from '../norms.js';

/** The share of the pixels that the first squares cover. */
const initialShare = 0.8;

/** After these many queries the share is halved, each time anew. */
const halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/**
 * The side of the square that is changed by a query, counted from 0 (Andriushchenko et al., 2020, with AutoAttack's
 * schedule, which does not stretch with the number of queries): √(share · H · W), rounded. In L2 it is odd and at least 3.
 * It never exceeds the image.
 */
export function squareSide(
  query: number,
  { height, width, norm }: { readonly height: number; readonly width: number; readonly norm: NormName },
): number {
  const share = initialShare / 2 ** halvings.filter((after) => query > after).length;
  const rounded = roundToEven(Math.sqrt(share * height * width));
  const side = norm === 'linf' ? Math.max(rounded, 1) : odd(Math.max(rounded, 3));
  return Math.min(side, height, width);
}

const odd = (side: number) => side + 1 - (side % 2);

/** To the nearest whole number, halves to the even one, as the reference rounds. */
function roundToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below + (below % 2);
}
