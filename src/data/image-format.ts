/** The formats of image files that are read, recognised by their content alone. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif' | 'bmp' | 'pnm';

/** The formats in a sentence. */
export const formatList = 'JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP and PNM';

/** The ends of the names of files that are taken for images, in lower case. */
export const imageExtensions: readonly string[] = [
  ...['.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'],
  ...['.bmp', '.dib', '.ppm', '.pgm', '.pbm', '.pnm'],
];

/** The ends of the names of pictures in formats that are not read, in lower case. */
export const unreadExtensions: readonly string[] = [
  ...['.heic', '.heif', '.hif', '.jp2', '.j2k', '.jpx', '.jxl', '.jxr', '.svg', '.svgz', '.psd', '.xcf'],
  ...['.ico', '.tga', '.exr', '.hdr', '.pcx', '.dcm', '.dng', '.cr2', '.cr3', '.nef', '.arw', '.raf', '.orf'],
  ...['.rw2', '.raw', '.npy', '.npz', '.pdf', '.eps', '.ai', '.fits', '.dds', '.sgi', '.ras', '.xbm', '.xpm'],
];

const starts = (bytes: Uint8Array, text: string, at = 0) =>
  bytes.length >= at + text.length &&
  Buffer.from(bytes.buffer, bytes.byteOffset + at, text.length).toString('latin1') === text;

/** The format of a file, by its first bytes. */
export function formatOf(bytes: Uint8Array): ImageFormat | undefined {
  if (starts(bytes, '\xff\xd8\xff')) return 'jpeg';
  if (starts(bytes, '\x89PNG\r\n\x1a\n')) return 'png';
  if (starts(bytes, 'RIFF') && starts(bytes, 'WEBP', 8)) return 'webp';
  if (starts(bytes, 'GIF87a') || starts(bytes, 'GIF89a')) return 'gif';
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((magic) => starts(bytes, magic))) return 'tiff';
  if (brandsOf(bytes).some((brand) => brand === 'avif' || brand === 'avis')) return 'avif';
  if (starts(bytes, 'BM') && bytes.length >= 26) return 'bmp';
  if (/^P[1-6][\s#]/.test(Buffer.from(bytes.subarray(0, 3)).toString('latin1'))) return 'pnm';
  return undefined;
}

/** What a file that is in none of the formats seems to be, for a message. */
export function otherFormat(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  if (/<svg[\s>]/i.test(text)) return 'SVG';
  if (/^\s*(<!doctype html|<html)/i.test(text)) return 'a web page';
  if (text.startsWith('%PDF')) return 'PDF';
  if (text.startsWith('8BPS')) return 'PSD';
  if (brandsOf(bytes).some((brand) => /^(hei|hev|mif|msf)/.test(brand))) return 'HEIC';
  if (text.startsWith('\xff\x0a') || text.startsWith('\0\0\0\x0cJXL ')) return 'JPEG XL';
  if (text.startsWith('\0\0\0\x0cjP  ') || text.startsWith('\xff\x4f\xff\x51')) return 'JPEG 2000';
  if (text.startsWith('version https://git-lfs')) return 'a pointer of Git LFS, whose file is not there,';
  return 'of no known format';
}

/** The brands of a file of the ISO base media format. */
function brandsOf(bytes: Uint8Array): string[] {
  if (!starts(bytes, 'ftyp', 4)) return [];
  const length = Math.min(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), bytes.length, 256);
  const brands = [];
  for (let at = 8; at + 4 <= length; at += 4)
    if (at !== 12) brands.push(Buffer.from(bytes.subarray(at, at + 4)).toString('latin1'));
  return brands;
}
