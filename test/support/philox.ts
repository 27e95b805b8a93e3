/**
 * Philox4x32-10 (Salmon et al., 2011) and Satin's use of it, written from the paper and from what `noise` promises, in
 * exact integers: slow, and independent of the kernel.
 */
type Words = readonly [bigint, bigint, bigint, bigint];

const mask = 0xffff_ffffn;

export function philox(counter: Words, key: readonly [bigint, bigint]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [first, second] = [0xd251_1f53n * c0, 0xcd9e_8d57n * c2];
    [c0, c1, c2, c3] = [(second >> 32n) ^ c1 ^ k0, second & mask, (first >> 32n) ^ c3 ^ k1, first & mask];
    k0 = (k0 + 0x9e37_79b9n) & mask;
    k1 = (k1 + 0xbb67_ae85n) & mask;
  }
  return [c0, c1, c2, c3];
}

const halves = (number: bigint) => [number & mask, number >> 32n] as const;

export interface Draw {
  readonly seed: number;
  readonly stream: number;
  readonly epoch: number;
  readonly restart: number;
  readonly rank: number;
  readonly step: number;
  readonly id: number;
}

/** The four words of block `block` of an example: keyed by a block of the draw's own fields under the seed. */
function block(draw: Draw, number: bigint): Words {
  const { stream, epoch, restart, rank, step } = draw;
  const counter = [stream, epoch, restart * 2 ** 16 + rank, step].map(BigInt) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const [k0, k1] = philox(counter, halves(BigInt(draw.seed)));
  return philox([...halves(number), ...halves(BigInt(draw.id))], [k0, k1]);
}

/** Box and Muller (1958) of two numbers in [0, 1). */
function normals(u: number, v: number): readonly [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - u));
  return [radius * Math.cos(2 * Math.PI * v), radius * Math.sin(2 * Math.PI * v)];
}

/** The first `count` numbers of an example. */
export function expectedNoise(
  distribution: 'uniform' | 'normal',
  dtype: 'float32' | 'float64',
  draw: Draw,
  count: number,
): number[] {
  const numbers: number[] = [];
  for (let at = 0n; numbers.length < count; at++) {
    const words = block(draw, at);
    if (dtype === 'float64') {
      const unit = (high: bigint, low: bigint) => Number(((high << 32n) | low) >> 11n) * 2 ** -53;
      const pair = [unit(words[0], words[1]), unit(words[2], words[3])] as const;
      numbers.push(...(distribution === 'uniform' ? pair : normals(...pair)));
    } else if (distribution === 'uniform')
      numbers.push(...words.map((word) => Number(word >> 8n) * 2 ** -24));
    else {
      const centre = (word: bigint) => (Number(word) + 0.5) * 2 ** -32;
      const [a, b, c, d] = words.map(centre) as [number, number, number, number];
      numbers.push(...[...normals(a, b), ...normals(c, d)].map(Math.fround));
    }
  }
  return numbers.slice(0, count);
}
