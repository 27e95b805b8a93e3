/** How much a TorchScript archive may unpack to, told from its directory alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readModelFile } from '../../src/app/model/read-model-file.js';
import { isLoaded } from '../../src/engine/native.js';
import { InputError } from '../../src/errors.js';
import { requireModestArchive } from '../../src/models/torchscript-sizes.js';
import { type ZipContent, zipFile } from '../support/zip-file.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-archive-'));
after(() => rmSync(folder, { recursive: true }));
const golden = fileURLToPath(new URL('../../../test/golden/', import.meta.url));

const none: ZipContent = { name: 'net/constants.pkl', bytes: Buffer.from('\x80\x02).') };
const zeros = (mebibytes: number, bytes = 0) => new Uint8Array(mebibytes * 2 ** 20 + bytes);
const lines = (mebibytes: number, bytes = 0) => Buffer.alloc(mebibytes * 2 ** 20 + bytes, '\n');

function archive(...contents: readonly ZipContent[]): string {
  const path = join(folder, 'net.pt');
  writeFileSync(path, zipFile([none, ...contents]));
  return path;
}

function refused(sentence: RegExp, ...contents: readonly ZipContent[]): void {
  const path = archive(...contents);
  assert.throws(
    () => readModelFile(path),
    (error) => error instanceof InputError && sentence.test(error.message),
  );
  assert.ok(!isLoaded(), 'before the engine is loaded');
}

it('an archive with more code than any network is refused by the record, packed or not', () => {
  const code = (size: Uint8Array, packed: boolean) => ({
    name: 'net/code/__torch__.py',
    bytes: size,
    packed,
  });
  requireModestArchive(archive(code(lines(4), true)));
  requireModestArchive(archive(code(lines(4), false)));
  for (const packed of [true, false])
    refused(
      /at most 4 MiB of code, .*net\.pt but received '4\.5 MiB, most of it in net\/code\/__torch__\.py'/,
      code(lines(4, 2 ** 19), packed),
    );
  const parts = [1, 2, 3, 4, 5].map((at) => ({ ...code(lines(1), true), name: `net/code/${at}.py` }));
  refused(/at most 4 MiB of code, .* '5\.0 MiB/, ...parts);
});

it('and so are pickles, debug records and other records that unpack to more', () => {
  const bytes = zeros(16, 1);
  refused(/16 MiB of pickles, .*net\/data\.pkl/, { name: 'net/data.pkl', bytes, packed: true });
  refused(/16 MiB of debug records, .*a\.py\.debug_pkl/, {
    name: 'net/code/a.py.debug_pkl',
    bytes,
    packed: true,
  });
  refused(/records that are packed .*net\/data\/0/, { name: 'net/data/0', bytes, packed: true });
  refused(/records that are packed or of a false size, .*'4096\.0 MiB/, {
    name: 'net/data/0',
    bytes: zeros(0, 8),
    states: 2 ** 32 - 1,
  });
  requireModestArchive(archive({ name: 'net/data/0', bytes: zeros(17) }));
});

it('code that is nested deeper than that of networks is refused, before its parser runs out of stack', () => {
  const code = (text: string, more: Partial<ZipContent> = {}) => ({
    name: 'net/code/__torch__.py',
    bytes: Buffer.from(text),
    ...more,
  });
  requireModestArchive(archive(code(`a = ${'('.repeat(900)}x${')'.repeat(900)}\n`, { packed: true })));
  for (const packed of [true, false])
    refused(
      /nested at most 1000 deep, .*net\.pt but received '2\d{5} in net\/code\/__torch__\.py'/,
      code(`a = ${'('.repeat(200_000)}x`, { packed }),
    );
  refused(/its record net\/code\/__torch__\.py cannot be read/, code('a = 1\n', { packed: true, states: 3 }));
  refused(
    /its record net\/code\/__torch__\.py cannot be read/,
    code('a = 1\n', { packed: true, states: 300 }),
  );
});

it('the archives that PyTorch wrote are modest', () => {
  for (const kind of ['torchscript', 'torchscript-kinds'])
    for (const name of readdirSync(join(golden, kind)))
      if (name.endsWith('.pt') && name !== 'state-dict-1.5.pt')
        requireModestArchive(join(golden, kind, name));
});
