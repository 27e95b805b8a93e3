/** Satin's counter-based noise in plain numbers, so that an attack in a browser starts where it starts elsewhere. */

/** What a draw is for: the keys of src/tensor/noise.ts, with a stream by its number. */
export interface Draw {
  readonly seed: number;
  readonly stream: number;
  /** Id of the example. */
  readonly id: number;
}

/** The streams of the starts of attacks in an evaluation, and of their radii in L2. */
export const attackStreams = { start: 4, radius: 7 } as const;

type Words = readonly [number, number, number, number];

/** Philox4x32-10 (Salmon et al., 2011). */
function philox([k0, k1]: readonly [number, number], counter: Words): Words {
  let [x0, x1, x2, x3] = counter;
  for (let round = 0; round < 10; round++) {
    const [a, b] = [product(0xd2511f53, x0), product(0xcd9e8d57, x2)];
    [x0, x1, x2, x3] = [(b.high ^ x1 ^ k0) >>> 0, b.low, (a.high ^ x3 ^ k1) >>> 0, a.low];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [x0, x1, x2, x3];
}

/** The 64 bits of a · b, by halves of 16 bits of a. */
function product(a: number, b: number): { readonly high: number; readonly low: number } {
  const [upper, lower] = [(a >>> 16) * b, (a & 0xffff) * b]; // below 2^48, exact
  const middle = (upper % 2 ** 16) * 2 ** 16 + lower; // below 2^49
  return {
    high: (Math.floor(upper / 2 ** 16) + Math.floor(middle / 2 ** 32)) >>> 0,
    low: Math.imul(a, b) >>> 0,
  };
}

const halves = (number: number): readonly [number, number] => [number >>> 0, Math.floor(number / 2 ** 32)];

function* blocks({ seed, stream, id }: Draw): Generator<Words> {
  const [k0, k1] = philox(halves(seed), [stream, 0, 0, 0]);
  for (let block = 0; ; block++) yield philox([k0, k1], [...halves(block), ...halves(id)]);
}

/** `count` numbers in [0, 1), as float32. */
export function uniformNoise(draw: Draw, count: number): Float32Array {
  const numbers = new Float32Array(count);
  let at = 0;
  for (const words of blocks(draw)) {
    for (const word of words) if (at < count) numbers[at++] = (word >>> 8) * 2 ** -24;
    if (at === count) return numbers;
  }
  return numbers;
}

/** `count` standard normal numbers, as float32: Box and Muller (1958). */
export function normalNoise(draw: Draw, count: number): Float32Array {
  const numbers = new Float32Array(count);
  let at = 0;
  for (const words of blocks(draw)) {
    const [a, b, c, d] = words.map((word) => (word + 0.5) * 2 ** -32) as [number, number, number, number];
    for (const [u, v] of [
      [a, b],
      [c, d],
    ] as const) {
      const radius = Math.sqrt(-2 * Math.log(1 - u));
      for (const part of [Math.cos, Math.sin]) if (at < count) numbers[at++] = radius * part(2 * Math.PI * v);
    }
    if (at === count) return numbers;
  }
  return numbers;
}

/** One number in [0, 1) with 53 bits. */
export function uniformNumber(draw: Draw): number {
  for (const [high, low] of blocks(draw)) return (Math.floor(high) * 2 ** 21 + (low >>> 11)) * 2 ** -53;
  return 0;
}
