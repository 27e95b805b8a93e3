import type { ForwardPlan, Geometry, ValueNumber } from './steps.js';

/** Of Square's windows in nine of ten queries. */
const side = 3;
/** Of a map that sees such a window, beyond which nothing is gained. */
const mostOfMap = 0.8;

/**
 * How many of the first steps are computed in few places for images that differ in few places: those up to a single value of which a
 * window of 3x3 pixels in the middle reaches only a part. 0 for none.
 */
export function leadingSteps({ shape, images, steps, logits }: ForwardPlan): number {
  const [, height, width] = shape;
  const reach = new Map<ValueNumber, Reach>([[images, windowIn(height, width)]]);
  let leading = 0;
  for (const [index, step] of steps.entries()) {
    const from = reach.get(step.from)!;
    const others = step.other === null ? [] : [reach.get(step.other)!];
    if (step.to === logits) break;
    if (step.kind === 'convolution') reach.set(step.to, joined(through(step.geometry, from), others));
    else if (step.kind === 'curve') reach.set(step.to, joined(from, others));
    else break;
    const { rows, columns, size } = reach.get(step.to)!;
    if ((rows[1] - rows[0]) * (columns[1] - columns[0]) > mostOfMap * size) break;
    const inside = new Set(reach.keys());
    inside.delete(step.to);
    const following = steps.slice(index + 1).flatMap(({ from, other }) => [from, other ?? from]);
    if (!following.some((value) => inside.has(value))) leading = index + 1;
  }
  return leading;
}

/** Rows and columns of a map that see the window, and the map's places. */
interface Reach {
  readonly rows: Span;
  readonly columns: Span;
  readonly size: number;
}

type Span = readonly [begin: number, end: number];

function windowIn(height: number, width: number): Reach {
  const middle = (length: number): Span => [Math.floor((length - side) / 2), Math.floor((length + side) / 2)];
  return { rows: middle(height), columns: middle(width), size: height * width };
}

function joined(one: Reach, others: readonly Reach[]): Reach {
  const span = (of: (reach: Reach) => Span): Span => [
    Math.min(...[one, ...others].map((each) => of(each)[0])),
    Math.max(...[one, ...others].map((each) => of(each)[1])),
  ];
  return { rows: span(({ rows }) => rows), columns: span(({ columns }) => columns), size: one.size };
}

/** Output o of a convolution reads from o · stride − before on, as many as its kernel has. */
function through(geometry: Geometry, { rows, columns }: Reach): Reach {
  const { kernel, stride, top, left, outHeight, outWidth } = geometry;
  const span = ([begin, end]: Span, before: number, length: number): Span => [
    Math.max(0, Math.ceil((begin + before - kernel + 1) / stride)),
    Math.min(length, Math.floor((end - 1 + before) / stride) + 1),
  ];
  return {
    rows: span(rows, top, outHeight),
    columns: span(columns, left, outWidth),
    size: outHeight * outWidth,
  };
}
