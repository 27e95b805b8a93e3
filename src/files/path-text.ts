import { isUtf8 } from 'node:buffer';

/**
 * The name of a file as text. Of a name that is not UTF-8, each byte above ASCII becomes half of a surrogate pair, U+DC80 to
 * U+DCFF, as in Python's `surrogateescape`: no other name has such halves, and `printable` spells them out.
 */
export function textOfName(name: Buffer): string {
  if (isUtf8(name)) return name.toString('utf8');
  return name
    .toString('latin1')
    .replaceAll(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)));
}

/** A path of such names as the file system takes it: its bytes where it is not UTF-8. */
export function systemPath(path: string): string | Buffer {
  // With the flag u, a half that is part of a pair does not match.
  const parts = path.split(/([\udc80-\udcff])/u);
  if (parts.length === 1) return path;
  return Buffer.concat(
    parts.map((part, at) =>
      at % 2 === 1 ? Buffer.of(part.charCodeAt(0) - 0xdc00) : Buffer.from(part, 'utf8'),
    ),
  );
}
