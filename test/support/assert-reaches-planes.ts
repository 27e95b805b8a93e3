import assert from 'node:assert/strict';
import type { Hyperplane } from '../../src/attacks/greedy-step.js';
import type { Tensor } from '../../src/tensor/tensor.js';

/**
 * Requires of a step from each image x [N, C, H, W] that it stays in the box and reaches the hyperplane, w · step = −excess, or
 * goes as far as the box allows; and that some of the planes are in reach, and some not.
 */
export function assertReachesPlanes(
  { x, plane, step }: { readonly x: Tensor; readonly plane: Hyperplane; readonly step: Tensor },
  tolerance: { readonly plane: number; readonly box: number },
): void {
  const [pixels, weights, moves] = [x, plane.w, step].map((each) => each.numbers());
  const excess = plane.excess.numbers();
  const each = pixels!.length / excess.length;
  let reached = 0;
  for (const [row, far] of excess.entries()) {
    const places = Array.from({ length: each }, (_, at) => row * each + at);
    const sum = (of: (at: number) => number) => places.reduce((total, at) => total + of(at), 0);
    const side = Math.sign(far);
    const most = sum(
      (at) => Math.abs(weights![at]!) * (side * weights![at]! > 0 ? pixels![at]! : 1 - pixels![at]!),
    );
    const moved = -side * sum((at) => weights![at]! * moves![at]!);
    const expected = Math.min(Math.abs(far), most);
    assert.ok(Math.abs(moved - expected) < tolerance.plane, `row ${row}: ${moved} in place of ${expected}`);
    for (const at of places) {
      const pixel = pixels![at]! + moves![at]!;
      assert.ok(pixel >= -tolerance.box && pixel <= 1 + tolerance.box, `row ${row}: a pixel of ${pixel}`);
    }
    if (Math.abs(far) < most) reached++;
  }
  assert.ok(reached >= 3 && reached < excess.length, `${reached} planes in reach`);
}
