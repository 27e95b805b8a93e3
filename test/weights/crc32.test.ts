import assert from 'node:assert/strict';
import { it } from 'node:test';
import { crc32 } from '../../src/weights/crc32.js';

it('the check value of the CRC catalogue, and what gzip writes of no bytes', () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
  assert.equal(crc32(new Uint8Array(0)), 0);
});
