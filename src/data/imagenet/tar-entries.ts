import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { countOf, datasetError } from '../dataset-error.js';

/** A file in an archive: the position of its bytes. */
export interface TarEntry {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

const block = 512;
/** The largest header of names and sizes that is read. */
const mostExtension = 2 ** 20;
/** Bytes per read: a header with the small files and headers that usually follow it. */
const ahead = 4096;

/**
 * The files of a tar archive, found by hopping from header to header: the images between them are not read. Libraries give
 * no positions without reading all bytes, which for ImageNet are 140 GB. Knows the ustar, pax and GNU forms.
 *
 * @throws {InputError} for an archive that is cut short, damaged, or none.
 */
export async function* tarEntries(file: FileHandle, path: string): AsyncGenerator<TarEntry> {
  const { size: length } = await file.stat();
  const cut = (where: string) =>
    datasetError({
      file: path,
      expected: 'a whole tar archive',
      received: `one cut short after ${countOf(length, 'byte')}, ${where}`,
      remedy: 'Copy or download it again.',
    });
  const damaged = (at: number) =>
    datasetError({
      file: path,
      expected: 'a tar archive',
      received: `a header that is none at byte ${at}`,
      remedy: 'Copy or download it again; compressed archives have to be unpacked to .tar.',
    });
  const read = reader(file);
  let named: { readonly name?: string; readonly size?: number } = {};
  let last = 'before its first file';
  for (let at = 0; ; ) {
    if (at + block > length) throw cut(at === length ? `without an end ${last}` : last);
    const header = await read(at, block);
    if (header.every((byte) => byte === 0)) return;
    if (checksum(header) !== octal(header.subarray(148, 156))) throw damaged(at);
    const kind = String.fromCharCode(header[156]!);
    const own = numberAt(header.subarray(124, 136));
    if (own === undefined) throw damaged(at);
    const isExtension = 'xgLK'.includes(kind);
    const size = isExtension ? own : (named.size ?? own);
    if (isExtension && size > mostExtension) throw damaged(at);
    const offset = at + block;
    const name = named.name ?? nameIn(header);
    if (offset + size > length) throw cut(`within ${name}`);
    at = offset + Math.ceil(size / block) * block;
    if (kind === 'x') named = { ...named, ...paxFields(await read(offset, size)) };
    else if (kind === 'L') named = { ...named, name: textOf(await read(offset, size)) };
    else if (kind !== 'g' && kind !== 'K') {
      if (kind === '0' || kind === '\0') yield { name, offset, size };
      named = {};
      last = `after ${name}`;
    }
  }
}

/** Reads parts of a file; small ones that lie close together at one go. */
export function reader(file: FileHandle): (offset: number, size: number) => Promise<Uint8Array> {
  let start = 0;
  let held = new Uint8Array();
  return async (offset, size) => {
    if (offset < start || offset + size > start + held.length) {
      const wanted = new Uint8Array(Math.max(size, ahead));
      const { bytesRead } = await file.read(wanted, 0, wanted.length, offset);
      [start, held] = [offset, wanted.subarray(0, bytesRead)];
    }
    return held.subarray(offset - start, offset - start + size);
  };
}

/** Names that are not UTF-8 are read as Latin-1, so that different names stay different. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const text = Buffer.from(end === -1 ? bytes : bytes.subarray(0, end));
  return text.toString(isUtf8(text) ? 'utf8' : 'latin1');
}

/** Octal digits between blanks; undefined for anything else, such as a sign. */
function octal(bytes: Uint8Array): number | undefined {
  const digits = textOf(bytes).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : undefined;
}

/** Octal digits, or for 8 GB and more a binary number (GNU); undefined for negative and inexact ones. */
function numberAt(bytes: Uint8Array): number | undefined {
  if ((bytes[0]! & 0x80) === 0) return octal(bytes);
  if (bytes[0] !== 0x80) return undefined;
  const value = bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The sum of the header's bytes, its own checksum counted as blanks. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
}

function nameIn(header: Uint8Array): string {
  const name = textOf(header.subarray(0, 100));
  const isUstar = textOf(header.subarray(257, 263)).startsWith('ustar') && header[262] === 0;
  const prefix = isUstar ? textOf(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** `LENGTH KEY=VALUE\n`, of which path and size matter. */
function paxFields(bytes: Uint8Array): { name?: string; size?: number } {
  const fields: { name?: string; size?: number } = {};
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(32, at);
    const digits = blank === -1 ? '' : textOf(bytes.subarray(at, blank));
    if (!/^[1-9]\d{0,6}$/.test(digits)) break;
    const length = Number(digits);
    const [, key, value] = /^([^=]*)=(.*)\n$/s.exec(textOf(bytes.subarray(blank + 1, at + length))) ?? [];
    if (key === 'path') fields.name = value!;
    if (key === 'size' && /^\d{1,15}$/.test(value!)) fields.size = Number(value);
    at += length;
  }
  return fields;
}
