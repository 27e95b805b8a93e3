import assert from 'node:assert/strict';
import { it } from 'node:test';
import { systemPath, textOfName } from '../../src/files/path-text.js';

it('a name is text and comes back with its bytes', () => {
  for (const name of ['a.png', 'caf\u00e9', '\u{1f480}', '\ufffd'])
    assert.equal(systemPath(textOfName(Buffer.from(name))), name, 'UTF-8 stays as it is');
  const foreign = ['caf\xe9', '\xff\x80', '\xc3\xa9\xe9', '\xed\xb3\xa9'].map((name) =>
    Buffer.from(name, 'latin1'),
  );
  for (const bytes of foreign) assert.deepEqual(systemPath(textOfName(bytes)), bytes);
  assert.equal(new Set(foreign.map(textOfName)).size, foreign.length);
  assert.equal(textOfName(foreign[0]!), 'caf\udce9');
});

it('folders with and without such names make one path', () => {
  assert.deepEqual(
    systemPath(`\u{1f480}/${textOfName(Buffer.from([0xe9]))}/a`),
    Buffer.concat([Buffer.from('\u{1f480}/'), Buffer.of(0xe9), Buffer.from('/a')]),
  );
});
