/** Fields of the first image of a TIFF file that sharp does not tell. */
export interface TiffSamples {
  readonly samples: number;
  /** 2 is RGB, 0 and 1 are grey, 5 is CMYK. */
  readonly colours: number;
  /** What each sample beyond the colours is: 1 and 2 are alpha, 0 is unspecified. */
  readonly extra: readonly number[];
}

/** Reads the tags of a classic TIFF file; undefined for BigTIFF, and where the tags are not within the file. */
export function tiffSamples(file: Uint8Array): TiffSamples | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const little = file[0] === 0x49;
  const fits = (at: number, size: number) => at + size <= file.length;
  if (!fits(0, 8) || view.getUint16(2, little) !== 42) return undefined;
  const directory = view.getUint32(4, little);
  if (!fits(directory, 2)) return undefined;
  const entries = view.getUint16(directory, little);
  const found = new Map<number, readonly number[]>();
  for (let index = 0; index < entries; index++) {
    const at = directory + 2 + 12 * index;
    if (!fits(at, 12)) return undefined;
    const [tag, type, count] = [
      view.getUint16(at, little),
      view.getUint16(at + 2, little),
      view.getUint32(at + 4, little),
    ];
    if (![photometric, samplesPerPixel, extraSamples].includes(tag) || type !== short || count > 16) continue;
    const values = count <= 2 ? at + 8 : view.getUint32(at + 8, little);
    if (!fits(values, 2 * count)) return undefined;
    found.set(
      tag,
      Array.from({ length: count }, (_, each) => view.getUint16(values + 2 * each, little)),
    );
  }
  return {
    samples: found.get(samplesPerPixel)?.[0] ?? 1,
    colours: found.get(photometric)?.[0] ?? 0,
    extra: found.get(extraSamples) ?? [],
  };
}

const [photometric, samplesPerPixel, extraSamples] = [262, 277, 338];
/** The type of 16-bit whole numbers. */
const short = 3;

/** Whether every sample is a colour, or alpha after the colours, so that none is taken for what it is not. */
export function areKnown({ samples, colours, extra }: TiffSamples): boolean {
  const own = colours === 2 || colours === 6 || colours === 8 ? 3 : colours === 5 ? 4 : 1;
  const others = samples - own;
  return others === 0 || (others === 1 && (extra[0] === 1 || extra[0] === 2));
}
