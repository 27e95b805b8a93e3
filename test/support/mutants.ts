/** A small generator of its own, so that a failure repeats: Knuth's MMIX constants. */
export function random(seed: number): (below: number) => number {
  let state = BigInt(seed);
  return (below) => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number((state >> 33n) % BigInt(Math.max(1, below)));
  };
}

/** Numbers that sizes and counts are not, and on which arithmetic overflows. */
export const hostileNumbers = [
  0,
  1,
  -1,
  255,
  65_535,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
  1e300,
  0.5,
] as const;

type Mutation = (bytes: Buffer, below: (limit: number) => number) => Buffer;

const insert = (bytes: Buffer, at: number, part: Buffer) =>
  Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);

const ofBytes: readonly Mutation[] = [
  (bytes, below) => {
    for (let count = 1 + below(4); count > 0; count--) {
      const at = below(bytes.length);
      bytes[at] = bytes[at]! ^ (1 << below(8));
    }
    return bytes;
  },
  (bytes, below) => {
    bytes[below(bytes.length)] = [0, 0xff, 0x7f, 0x80, below(256)][below(5)]!;
    return bytes;
  },
  (bytes, below) => bytes.subarray(0, below(bytes.length)),
  (bytes, below) => {
    // A field of four or eight bytes becomes 0, its largest number, or nearly so.
    const at = below(Math.max(1, bytes.length - 8));
    const value = [0n, 1n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 2n ** 63n, 2n ** 64n - 1n][below(7)]!;
    const field = Buffer.alloc(8);
    if (below(2) === 0) field.writeBigUInt64LE(value);
    else field.writeBigUInt64BE(value);
    const [from, to] = [
      [0, 8],
      [0, 4],
      [4, 8],
    ][below(3)]!;
    field.copy(bytes, at, from, to);
    return bytes;
  },
  (bytes, below) => {
    const [from, length] = [below(bytes.length), 1 + below(64)];
    return insert(bytes, below(bytes.length), bytes.subarray(from, from + length));
  },
  (bytes, below) => {
    const [from, length] = [below(bytes.length), 1 + below(64)];
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
  },
  (bytes, below) => insert(bytes, below(bytes.length), Buffer.alloc(1 + below(5000), below(256))),
];

const ofText: readonly Mutation[] = [
  (bytes, below) => {
    // Another number in place of one.
    const text = bytes.toString('latin1');
    const found = [...text.matchAll(/-?\d+(?:\.\d+)?/g)];
    const { index, 0: number } = found[below(found.length)] ?? { index: 0, 0: '' };
    const other = String(hostileNumbers[below(hostileNumbers.length)]);
    return Buffer.from(text.slice(0, index) + other + text.slice(index + number.length), 'latin1');
  },
  (bytes, below) => {
    // A line, or what stands between commas, a second time.
    const parts = bytes.toString('latin1').split(/(?<=[\n,])/);
    const at = below(parts.length);
    parts.splice(at, 0, parts[below(parts.length)]!);
    return Buffer.from(parts.join(''), 'latin1');
  },
  (bytes, below) => insert(bytes, below(bytes.length), Buffer.from('[{"a":'.repeat(1 + below(30_000)))),
];

/** The same bytes with one to three changes, at places and of kinds that `below` chooses. */
export function mutant(
  seed: Buffer,
  { below, isText }: { readonly below: (limit: number) => number; readonly isText: boolean },
): Buffer {
  const mutations = isText ? [...ofBytes, ...ofText, ...ofText] : ofBytes;
  let bytes: Buffer = Buffer.from(seed);
  for (let count = 1 + below(3); count > 0 && bytes.length > 0; count--)
    bytes = Buffer.from(mutations[below(mutations.length)]!(bytes, below));
  return bytes;
}
