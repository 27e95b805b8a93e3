/** Files of every format that Satin reads as no program writes them: right enough to be read on, with sizes that lie. */
import { createHash } from 'node:crypto';
import { crc32, deflateSync, gzipSync } from 'node:zlib';
import { encodeSafetensors } from '../../src/weights/safetensors.js';
import { hostileNumbers } from './mutants.js';

/** Chooses a number below a limit. */
type Below = (limit: number) => number;

export type MakeFile = (below: Below) => Buffer;

const pick = <T>(below: Below, values: readonly T[]): T => values[below(values.length)]!;
const number = (below: Below) => pick(below, hostileNumbers);
const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);

/** A value of JSON that no schema expects. */
export function hostileJson(below: Below): unknown {
  const long = pick(below, ['x', '\n', '\u0000', '"', '\ud800']).repeat(pick(below, [0, 1, 5000]));
  return pick<unknown>(below, [
    null,
    true,
    long,
    number(below),
    [],
    {},
    Array.from({ length: below(300) }, () => number(below)),
    { [long]: long },
    { __proto__: null, constructor: 1, length: number(below) },
  ]);
}

/** JSON of an object with one to three of its values, however deep, replaced; now and then nested or cut. */
export function hostileObject(below: Below, object: unknown): string {
  let changed = structuredClone(object);
  for (let count = 1 + below(3); count > 0; count--) changed = replaced(below, changed);
  const text = JSON.stringify(changed);
  return pick(below, [text, text, text, text.slice(0, below(text.length)), nested(20_000, '[', ']')]);
}

function replaced(below: Below, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || below(4) === 0) return hostileJson(below);
  const entries = Object.entries(value);
  if (entries.length === 0) return hostileJson(below);
  const [key, old] = entries[below(entries.length)]!;
  if (Array.isArray(value))
    return value.map((each: unknown, at) => (at === Number(key) ? replaced(below, old) : each));
  const { [key]: _, ...rest } = value as Record<string, unknown>;
  return below(8) === 0 ? rest : { ...value, [key]: replaced(below, old) };
}

/** A weights file of Satin, with the right digest, whose description is not that of its weights. */
export function hostileModel(description: unknown): MakeFile {
  return (below) => {
    const metadata = { satin: '0.1.0', model: hostileObject(below, description) };
    const digest = `sha256:${createHash('sha256').update(encodeSafetensors([], metadata)).digest('hex')}`;
    return Buffer.from(encodeSafetensors([], { ...metadata, digest }));
  };
}

/** A header of safetensors, with arrays that lie, overlap or are not there. */
export const hostileSafetensors: MakeFile = (below) => {
  const arrays = Array.from({ length: 1 + below(pick(below, [3, 2000])) }, (_, at) => [
    pick(below, [`a${at}`, `conv1.weight${at}`, 'x'.repeat(300) + at]),
    {
      dtype: pick(below, ['F32', 'F32', 'U8', 'F8', 1]),
      shape: pick(below, [[4], [number(below)], [number(below), number(below)], new Array(100).fill(1), 4]),
      data_offsets: pick(below, [
        [0, 16],
        [number(below), number(below)],
        [16, 0],
      ]),
    },
  ]);
  const json = pick(below, [
    JSON.stringify(Object.fromEntries(arrays)),
    hostileObject(below, Object.fromEntries(arrays)),
  ]);
  const header = Buffer.from(json);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(
    pick(below, [BigInt(header.length), BigInt(header.length), 2n ** 63n, 99_999_999n]),
  );
  return Buffer.concat([length, header, Buffer.alloc(below(64))]);
};

/** A pickle of opcodes that are known, in any order, in the format of PyTorch before 1.6. */
export const hostilePickle: MakeFile = (below) => {
  const text = (words: string) => Buffer.from(words, 'latin1');
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
  const codes: readonly (() => Buffer)[] = [
    () =>
      text(
        pick(below, [
          'N',
          '\x88',
          ']',
          '}',
          ')',
          '(',
          '0',
          '1',
          '2',
          'a',
          'e',
          's',
          'u',
          '\x85',
          't',
          'R',
          'b',
          'Q',
        ]),
      ),
    () => text('ccollections\nOrderedDict\n'),
    () => text('ctorch._utils\n_rebuild_tensor_v2\n'),
    () => text('ctorch\nFloatStorage\n'),
    () => Buffer.concat([text('K'), Buffer.of(below(256))]),
    () => Buffer.concat([text('X'), u32(pick(below, [3, 3, 3, 0xffff_ffff])), text('abc')]),
    () => Buffer.concat([text('\x8b'), u32(pick(below, [4, 4, 255, 256, 0x7fff_ffff])), text('abcd')]),
    () => Buffer.concat([text('q'), Buffer.of(below(8))]),
    () => Buffer.concat([text('h'), Buffer.of(below(8))]),
    () => Buffer.concat([text('r'), u32(pick(below, [0, 9, 0xffff_ffff]))]),
  ];
  const some = Array.from({ length: 1 + below(400) }, () => pick(below, codes)());
  const repeated = Buffer.concat(Array.from({ length: pick(below, [1, 1, 20_000]) }, () => some[0]!));
  // The shape that copies a list, a dictionary or a shape again and again.
  const list = text(
    `](${pick(below, ['K\x01', 'K\x01K\x02\x86', '}', ']']).repeat(pick(below, [1, 5000]))}eq\x00`,
  );
  const call = text(
    pick(below, [
      'h\x01h\x00\x85R',
      '(Nh\x00h\x00h\x00th\x01\x85R',
      'h\x00h\x00\x86q\x00',
      '}q\x00h\x00h\x00s',
    ]),
  );
  const many = Buffer.concat([
    list,
    text(pick(below, ['ccollections\nOrderedDict\nq\x01', 'ctorch\nSize\nq\x01'])),
    ...new Array<Buffer>(pick(below, [3, 30_000])).fill(call),
  ]);
  const body = pick(below, [Buffer.concat([repeated, ...some]), many]);
  const start = Buffer.from('80028a0a6cfc9c46f9206aa850192e80024de9032e80027d2e', 'hex');
  return Buffer.concat([start, text('\x80\x02'), body, text('.\x80\x02].')]);
};

/** An archive of stored files whose directory lies. */
export const hostileZip: MakeFile = (below) => {
  const u16 = (value: number) => Buffer.from(Uint16Array.of(value).buffer);
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
  const size = (right: number) => u32(pick(below, [right, right, right, 0, 0xffff_ffff, 0x7fff_ffff]));
  const count = pick(below, [2, 5, 3000]);
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (let at = 0; at < count; at++) {
    const name = Buffer.from(pick(below, ['a/data.pkl', `a/data/${at}`, `a/data/${at}`, 'a/byteorder', '']));
    const body = pick(below, [
      Buffer.from('\x80\x02}.', 'latin1'),
      Buffer.from('\x80\x02]', 'latin1'),
      Buffer.alloc(16),
    ]);
    const sizes = Buffer.concat([
      u32(crc32(body)),
      size(body.length),
      size(body.length),
      u16(name.length),
      u16(0),
    ]);
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), Buffer.alloc(10), sizes, name, body]);
    entries.push(
      Buffer.concat([
        Buffer.from('504b0102', 'hex'),
        Buffer.alloc(12),
        sizes,
        Buffer.alloc(10),
        size(offset),
        name,
      ]),
    );
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(entries);
  const end = [
    Buffer.from('504b0506', 'hex'),
    u32(0),
    u16(count & 0xffff),
    u16(count & 0xffff),
    size(directory.length),
  ];
  return Buffer.concat([...locals, directory, ...end, size(offset), u16(0)]);
};

/** The idx format with any sizes and kinds. */
export const hostileIdx: MakeFile = (below) => {
  const dimensions = pick(below, [1, 3, 3, 3, 0, 255]);
  const head = Buffer.alloc(4 + 4 * dimensions);
  head.set([0, 0, pick(below, [8, 8, 8, 13, 255]), dimensions]);
  for (let at = 0; at < dimensions; at++)
    head.writeUInt32BE(pick(below, [1, 8, 8, 64, 65_536, 0, 0x7fff_ffff, 0xffff_ffff]), 4 + 4 * at);
  return Buffer.concat([head, Buffer.alloc(below(5000))]);
};

/** The same compressed; now and then a bomb, or a second member. */
export const hostileIdxGzip: MakeFile = (below) => {
  const whole = gzipSync(hostileIdx(below));
  return pick(below, [
    whole,
    Buffer.concat([whole, whole]),
    gzipSync(Buffer.alloc(900 * 2 ** 20 * (below(20) === 0 ? 1 : 0) + 100)),
    whole.subarray(0, below(whole.length)),
  ]);
};

/** A PNG whose header claims any size, with right check sums. */
export const hostilePng: MakeFile = (below) => {
  const chunk = (kind: string, body: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    const named = Buffer.concat([Buffer.from(kind, 'latin1'), body]);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, sum]);
  };
  const header = Buffer.alloc(13);
  for (const at of [0, 4]) header.writeUInt32BE(pick(below, [1, 8, 16_383, 50_000, 0x7fff_ffff, 0]), at);
  header.set([pick(below, [8, 8, 16, 1, 0]), pick(below, [2, 0, 3, 6, 9]), 0, 0, below(3)], 8);
  const data = deflateSync(Buffer.alloc(pick(below, [0, 200, 50_000_000])));
  const text = chunk('tEXt', Buffer.alloc(below(3) * 100, 65));
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    ...new Array<Buffer>(pick(below, [0, 1, 2000])).fill(text),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
};

/** YAML that nests, repeats by aliases, or has many keys. */
export function hostileRecipe(recipe: object): MakeFile {
  return (below) => {
    const doubled = Array.from({ length: 30 }, (_, at) => `a${at}: &a${at} [*a${at - 1}, *a${at - 1}]`);
    const text = pick(below, [
      hostileObject(below, recipe),
      hostileObject(below, recipe),
      hostileObject(below, recipe),
      pick(below, ['[', '{a: ', '- ', '!!a ', '&a ', '? ', '"', '|\n ', '#']).repeat(
        pick(below, [10, 3000, 40_000]),
      ),
      `a-1: &a-1 x\n${doubled.join('\n')}\n`,
      Array.from({ length: pick(below, [10_000, 30_000]) }, (_, at) => `k${at}: ${at}`).join('\n'),
      `a: ${'x'.repeat(900_000)}`,
      `<<: &a {<<: *a}\n`,
      `name: ${number(below)}\n`.repeat(1 + below(3)),
    ]);
    return Buffer.from(text);
  };
}

/** Lines of JSON, each hostile or right. */
export function hostileLines(lines: readonly string[]): MakeFile {
  return (below) => {
    const chosen = lines.length === 0 ? ['{}'] : lines;
    const made = Array.from({ length: 1 + below(20) }, () => {
      const line = pick(below, chosen);
      return below(3) === 0 ? hostileObject(below, JSON.parse(line)) : line;
    });
    return Buffer.from(`${made.join('\n')}\n`);
  };
}
