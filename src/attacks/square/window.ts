import { cat, ones, range, where } from '../../tensor/create.js';
import type { Tensor } from '../../tensor/tensor.js';

/** The image and the best point so far, [n, C, H, W] each. */
export interface Points {
  readonly x: Tensor;
  readonly best: Tensor;
}

/** A square window per example. */
export interface SquareWindow {
  readonly side: number;
  /** First row and column, int64 [n, 1, 1, 1]. */
  readonly top: Tensor;
  readonly left: Tensor;
}

/** The first pixels of the windows, int64 [n, 2], as Satin's own operators take them. */
export function firstPixels({ top, left }: SquareWindow): Tensor {
  return cat([top.reshape([-1, 1]), left.reshape([-1, 1])], 1);
}

/** The random values of one query: one row per example, uniform in [0, 1), [n, K]. */
export class SquareDraws {
  constructor(private readonly uniform: Tensor) {}

  /**
   * A window whose first row and column are integers in [0, size − side), as in the reference: the last position is
   * excluded.
   */
  window(
    column: number,
    options: { readonly side: number; readonly height: number; readonly width: number },
  ) {
    const { side, height, width } = options;
    const first = (index: number, span: number) => this.#columns(index, 1).mul(span).to('int64');
    return { side, top: first(column, height - side), left: first(column + 1, width - side) };
  }

  /** ±1 for each of `count` columns, [n, count, 1, 1]. */
  signs(column: number, count: number): Tensor {
    return signOf(this.#columns(column, count));
  }

  /** A fair coin flip, bool [n, 1, 1, 1]. */
  coin(column: number): Tensor {
    return this.#columns(column, 1).less(0.5);
  }

  #columns(from: number, count: number): Tensor {
    return this.uniform.narrow(1, from, count).reshape([-1, count, 1, 1]);
  }
}

/** −1 below 0.5, otherwise 1. */
export function signOf(uniform: Tensor): Tensor {
  return uniform.less(0.5).to(uniform.dtype).mul(-2).add(1);
}

/** 1 inside the window and 0 outside, [n, 1, H, W], in the dtype of `like`. */
export function windowMask({ side, top, left }: SquareWindow, like: Tensor): Tensor {
  const along = (positions: Tensor, first: Tensor) => {
    const offset = positions.sub(first);
    return offset.greater(-1).mul(offset.less(side)); // bool: and
  };
  const [height, width] = [like.dimension(2), like.dimension(3)];
  const rows = along(range(height, like.device).reshape([1, 1, height, 1]), top);
  const columns = along(range(width, like.device).reshape([1, 1, 1, width]), left);
  return rows.mul(columns).to(like.dtype);
}

/** Flat indices of the window's pixels in a row-major image, int64 [n, 1, side²]. */
export function windowIndices({ side, top, left }: SquareWindow, width: number): Tensor {
  const steps = range(side, top.device);
  const rows = top.add(steps.reshape([1, 1, side, 1])).mul(width);
  return rows.add(left.add(steps)).reshape([-1, 1, side * side]);
}

/** Selects one of two [s, s] per example, [n, 1, s, s]. */
export function selectPerExample(chosen: Tensor, yes: Tensor, no: Tensor): Tensor {
  const all = ones([chosen.dimension(0), 1, 1, 1], yes.dtype, yes.device);
  return where(chosen, yes.mul(all), no.mul(all));
}
