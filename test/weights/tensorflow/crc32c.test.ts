import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32c, maskedCrc32c } from '../../../src/weights/tensorflow/crc32c.js';

describe('CRC-32C', () => {
  it('of the examples in RFC 3720, B.4', () => {
    const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
    assert.equal(crc32c(ascending), 0x46dd794e);
    assert.equal(crc32c(Uint8Array.from(ascending).reverse()), 0x113fdb5c);
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
    assert.equal(crc32c(new Uint8Array()), 0);
  });

  it('is masked as in LevelDB: rotated right by 15, plus a constant', () => {
    const crc = crc32c(Buffer.from('foo'));
    const rotated = Number((BigInt(crc) >> 15n) | ((BigInt(crc) << 17n) & 0xffffffffn));
    assert.equal(maskedCrc32c(Buffer.from('foo')), (rotated + 0xa282ead8) % 2 ** 32);
  });
});
