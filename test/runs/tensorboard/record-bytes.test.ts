/** The framing of TensorBoard's files: checksums of RFC 3720, and a record as TensorFlow writes it. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { crc32c, recordBytes } from '../../../src/runs/tensorboard/record-bytes.js';

it('has the checksums of RFC 3720, appendix B.4', () => {
  const zeros = new Uint8Array(32);
  const cases: readonly (readonly [Uint8Array, number])[] = [
    [zeros, 0x8a9136aa],
    [zeros.map(() => 0xff), 0x62a8ab43],
    [zeros.map((_, index) => index), 0x46dd794e],
    [zeros.map((_, index) => 31 - index), 0x113fdb5c],
    [Buffer.from('123456789'), 0xe3069283],
  ];
  for (const [data, crc] of cases) assert.equal(crc32c(data), crc);
});

it('frames data with its length and both checksums', () => {
  const record = recordBytes(Buffer.from('abc'));
  const view = new DataView(record.buffer);
  assert.equal(record.length, 19);
  assert.equal(view.getBigUint64(0, true), 3n);
  const unmask = (masked: number) => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  assert.equal(unmask(view.getUint32(8, true)), crc32c(record.subarray(0, 8)));
  assert.equal(unmask(view.getUint32(15, true)), crc32c(Buffer.from('abc')));
});
