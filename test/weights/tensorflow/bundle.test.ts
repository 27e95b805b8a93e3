/** Index and data files of a checkpoint of TensorFlow, damaged and hostile. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import { TensorBundle } from '../../../src/weights/tensorflow/bundle.js';
import { readTensorFlowCheckpoint } from '../../../src/weights/tensorflow/checkpoint.js';
import { maskedCrc32c } from '../../../src/weights/tensorflow/crc32c.js';
import { readTable } from '../../../src/weights/tensorflow/table.js';
import { refuses } from '../../support/foreign-weights.js';
import { checkpointNamed, prefixOf, readMutants } from '../../support/tensorflow-checkpoints.js';

setThreads(1);
const folder = mkdtempSync(join(tmpdir(), 'satin-bundle-'));
after(() => rmSync(folder, { recursive: true }));

type Message = readonly (readonly [field: number, value: number | Buffer])[];

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}

/** A message with varints, and strings or messages. */
const message = (fields: Message) =>
  Buffer.concat(
    fields.flatMap(([field, value]) =>
      typeof value === 'number'
        ? [varint(8 * field), varint(value)]
        : [varint(8 * field + 2), varint(value.length), value],
    ),
  );

type Entries = readonly (readonly [key: string, value: Buffer])[];

/** A block as LevelDB writes it, without shared prefixes. */
function block(entries: Entries, compression = 0): Buffer {
  const content = Buffer.concat([
    ...entries.flatMap(([key, value]) => [
      Buffer.from([0]),
      varint(Buffer.byteLength(key)),
      varint(value.length),
      Buffer.from(key),
      value,
    ]),
    Buffer.from([0, 0, 0, 0, 1, 0, 0, 0]), // one restart, at 0
    Buffer.from([compression]),
  ]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(maskedCrc32c(content));
  return Buffer.concat([content, checksum]);
}

const place = (offset: number, { length }: Buffer) => Buffer.concat([varint(offset), varint(length - 5)]);

/** A table of these data blocks; `change` may put wrong places in it. */
function table(
  data: Buffer | readonly Buffer[],
  change: { readonly gap?: number; readonly padding?: number; readonly magic?: string } = {},
): Buffer {
  const { gap = 0, padding = 0, magic = '57fb808b247547db' } = change;
  const metaindex = block([]);
  const blocks = [data].flat();
  let offset = gap;
  const placed = blocks.map((each, number) => {
    offset += each.length;
    return [`~${number}`, place(offset - each.length, each)] as const;
  });
  const index = block(placed);
  const places = Buffer.concat([place(offset, metaindex), place(offset + metaindex.length, index)]);
  return Buffer.concat([
    Buffer.alloc(gap),
    ...blocks,
    metaindex,
    index,
    Buffer.concat([places, Buffer.alloc(40 - places.length, padding)]),
    Buffer.from(magic, 'hex'),
  ]);
}

/** The header of an index of one data file. */
const header: Entries[number] = ['', message([[1, 1]])];
const shape = (...sizes: readonly number[]) =>
  message(sizes.map((size) => [2, message([[1, size]])] as const));

/** A bundle with this index and eight bytes of data. */
function opened(index: Buffer): TensorBundle {
  const prefix = join(folder, 'made');
  writeFileSync(`${prefix}.index`, index);
  writeFileSync(`${prefix}.data-00000-of-00001`, Buffer.alloc(8));
  return TensorBundle.open(prefix);
}
const ofEntries = (entries: Entries) => opened(table(block(entries)));

describe('the index of a checkpoint', () => {
  it('is read where it is whole, as the helpers of this test write it', () => {
    const bundle = ofEntries([
      header,
      [
        'a',
        message([
          [1, 1],
          [2, shape(2, 1)],
          [5, 8],
        ]),
      ],
    ]);
    assert.deepEqual(bundle.entries.get('a'), {
      dtype: 'F32',
      shape: [2, 1],
      shard: 0,
      offset: 0,
      length: 8,
      checksum: 0,
      isPartitioned: false,
    });
    const pair = (text: string) => [text, Buffer.from(text)] as const;
    const several = table([block([pair('a'), pair('b')]), block([pair('c')]), block([pair('d')])]);
    assert.deepEqual([...readTable(several)], [...'abcd'].map(pair));
  });

  const entry = (fields: Message) => [header, ['a', message(fields)] as const];
  const wrong: readonly (readonly [what: string, index: () => Buffer, sentence: RegExp])[] = [
    ['nothing', () => Buffer.alloc(0), /it has 0 bytes/],
    ['another magic number', () => table(block([header]), { magic: '57fb808b247547dc' }), /does not end as/],
    ['filled padding', () => table(block([header]), { padding: 1 }), /does not end as/],
    ['a gap before the data', () => table(block([header]), { gap: 3 }), /do not follow each other/],
    ['a compressed block', () => table(block([header], 1)), /it is compressed/],
    ['no header', () => table(block([['a', Buffer.alloc(0)]])), /it has no header/],
    ['keys out of order', () => table(block([header, ['b', header[1]], ['a', header[1]]])), /not in order/],
    ['blocks out of order', () => table([block([['b', header[1]]]), block([header])]), /not in order/],
    ['a key twice', () => table(block([header, ['a', header[1]], ['a', header[1]]])), /not in order/],
    [
      'a key that is too long',
      () => table(block([header, ['a'.repeat(1025), header[1]]])),
      /key that is too long/,
    ],
    ['no data files', () => table(block([['', message([[1, 0]])]])), /it has 0 data files/],
    ['too many data files', () => table(block([['', message([[1, 100_000]])]])), /it has 100000 data files/],
    [
      'big-endian numbers',
      () =>
        table(
          block([
            [
              '',
              message([
                [1, 1],
                [2, 1],
              ]),
            ],
          ]),
        ),
      /big-endian/,
    ],
    ['a data file beyond', () => table(block(entry([[3, 1]]))), /a data file that is not there/],
    [
      'a length of another shape',
      () =>
        table(
          block(
            entry([
              [1, 1],
              [2, shape(3)],
              [5, 8],
            ]),
          ),
        ),
      /does not match its shape/,
    ],
    [
      'a shape beyond all numbers',
      () =>
        table(
          block(
            entry([
              [1, 1],
              [2, shape(2 ** 52, 2 ** 52)],
              [5, 8],
            ]),
          ),
        ),
      /does not match its shape/,
    ],
    [
      'text in place of a number',
      () => table(block(entry([[5, Buffer.from('8')]]))),
      /text in place of a number/,
    ],
    ['a number in place of text', () => table(block(entry([[2, 8]]))), /a number in place of text/],
    ['a field of an unknown kind', () => table(block([header, ['a', Buffer.from([9])]])), /an unknown kind/],
    [
      'a number without an end',
      () => table(block([header, ['a', Buffer.alloc(12, 255)]])),
      /a number that is too large/,
    ],
    [
      'a field that is cut off',
      () => table(block([header, ['a', Buffer.from([18, 9, 0])]])),
      /it is truncated/,
    ],
  ];
  for (const [what, index, sentence] of wrong)
    it(`is refused with ${what}`, () => refuses(() => opened(index()), sentence));

  it('is refused in place of a file that claims more than there is, before memory is taken', () => {
    const huge = 2 ** 40;
    const bundle = ofEntries(
      entry([
        [1, 4],
        [2, shape(huge)],
        [5, huge],
      ]),
    );
    refuses(() => bundle.read(bundle.entries.get('a')!), /made\.data-00000-of-00001 but it is truncated/);
    const beyond = ofEntries(
      entry([
        [1, 1],
        [2, shape(2)],
        [4, 4],
        [5, 8],
      ]),
    );
    refuses(() => beyond.read(beyond.entries.get('a')!), /it is truncated/);
    const other = ofEntries(
      entry([
        [1, 1],
        [2, shape(2)],
        [5, 8],
      ]),
    );
    refuses(() => other.read(other.entries.get('a')!), /a checksum is wrong/);
  });

  it('bounds what keys with a shared prefix take', () => {
    const prefix = Buffer.concat([Buffer.from([0]), varint(1000), varint(0), Buffer.from('a'.repeat(1000))]);
    const next = (number: number) =>
      Buffer.concat([varint(1000), varint(6), varint(0), Buffer.from(String(number).padStart(6, '0'))]);
    const many = Array.from({ length: 70_000 }, (_, number) => next(number));
    const content = Buffer.concat([prefix, ...many, Buffer.from([0, 0, 0, 0, 1, 0, 0, 0, 0])]);
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(maskedCrc32c(content));
    refuses(() => opened(table(Buffer.concat([content, checksum]))), /it has more than 65536 entries/);
  });
});

describe('a checkpoint of no weights', () => {
  it('is refused for a weight that is no number, or in several pieces', () => {
    const conv = (fields: Message) => {
      ofEntries([header, ['conv0/W', message(fields)]]);
      return () => readTensorFlowCheckpoint(join(folder, 'made')).arraysFor(new Set());
    };
    const text = conv([
      [1, 7],
      [5, 8],
    ]);
    refuses(
      text,
      /a variable of numbers in one piece for conv0\/W in .*made but received 'one of another type'/,
    );
    const pieces = conv([
      [1, 1],
      [2, shape(2)],
      [7, Buffer.alloc(0)],
    ]);
    refuses(pieces, /received 'a partitioned one'/);
  });

  it('is refused, with its variables, for another network', () => {
    ofEntries([header, ['dense/kernel', message([[2, shape(0)]])]]);
    refuses(
      () => readTensorFlowCheckpoint(join(folder, 'made')),
      /a ResNet of tensorpack \(conv0\/W\) or an EfficientNet of the TPU code .* for the variables in/,
    );
  });
});

describe('mutants of the files of a checkpoint', () => {
  it('are refused, or hold the same weights', () => {
    const found = readMutants(checkpointNamed('resnet50-silu'), { count: 240, seed: 2, folder });
    assert.deepEqual(found.wrong, []);
    assert.equal(found.refused + found.unchanged, 240);
    assert.ok(found.refused > 200, `${found.refused} were refused`);
    assert.ok(found.slowest < 2, `one took ${found.slowest} s`);
  });

  it('a folder in place of a file is refused', () => {
    const prefix = join(folder, 'odd');
    copyFileSync(`${prefixOf('resnet50-silu')}.index`, `${prefix}.index`);
    refuses(() => TensorBundle.open(folder), /a readable file for .*\.index/);
  });
});
