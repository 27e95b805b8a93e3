import { ones, range, where } from '../../tensor/create.js';
import type { Tensor } from '../../tensor/tensor.js';

/** A square window in each example's image. */
export interface SquareWindow {
  readonly side: number;
  /** The first row and column, int64 [n, 1, 1, 1]. */
  readonly top: Tensor;
  readonly left: Tensor;
}

/** Random numbers of one query: a row for each example, uniform in [0, 1), [n, K]. */
export class SquareDraws {
  constructor(
    private readonly uniform: Tensor,
    private readonly device: string,
  ) {}

  /** A window whose first row and column are whole numbers from 0 to before the last place that fits, as the reference draws. */
  window(
    column: number,
    options: { readonly side: number; readonly height: number; readonly width: number },
  ) {
    const { side, height, width } = options;
    const place = (at: number, span: number) => this.#columns(at, 1).mul(span).to('int64');
    return { side, top: place(column, height - side), left: place(column + 1, width - side) };
  }

  /** 1 or −1 for each of `count` columns, [n, count, 1, 1]. */
  signs(column: number, count: number): Tensor {
    return signOf(this.#columns(column, count));
  }

  /** Whether a coin fell on its head, bool [n, 1, 1, 1]. */
  coin(column: number): Tensor {
    return this.#columns(column, 1).less(0.5);
  }

  #columns(from: number, count: number): Tensor {
    return this.uniform.narrow(1, from, count).toDevice(this.device).reshape([-1, count, 1, 1]);
  }
}

/** −1 below a half, else 1. */
export function signOf(uniform: Tensor): Tensor {
  return uniform.less(0.5).to(uniform.dtype).mul(-2).add(1);
}

/** 1 inside the window and 0 outside, [n, 1, H, W], in the dtype of `like`. */
export function insideOf({ side, top, left }: SquareWindow, like: Tensor): Tensor {
  const along = (places: Tensor, first: Tensor) => {
    const from = places.sub(first); // counted from the window's edge
    return from.greater(-1).mul(from.less(side)); // bool: both
  };
  const [height, width] = [like.dimension(2), like.dimension(3)];
  const rows = along(range(height).toDevice(like.device).reshape([1, 1, height, 1]), top);
  const columns = along(range(width).toDevice(like.device).reshape([1, 1, 1, width]), left);
  return rows.mul(columns).to(like.dtype);
}

/** Where the pixels of the window lie in an image whose rows stand one behind the other, int64 [n, 1, side²]. */
export function placesOf({ side, top, left }: SquareWindow, width: number): Tensor {
  const steps = range(side).toDevice(top.device);
  const rows = top.add(steps.reshape([1, 1, side, 1])).mul(width);
  return rows.add(left.add(steps)).reshape([-1, 1, side * side]);
}

/** Whichever of two [s, s] is chosen for each example, [n, 1, s, s]. */
export function either(chosen: Tensor, yes: Tensor, no: Tensor): Tensor {
  const all = ones([chosen.dimension(0), 1, 1, 1], yes.dtype).toDevice(yes.device);
  return where(chosen, yes.mul(all), no.mul(all));
}
