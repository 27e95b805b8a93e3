import { native } from './native.js';

/**
 * Allows a card to compute convolutions and matrix products of float32 in TF32, or forbids it, for everything that is asked
 * of it from now on.
 *
 * @returns what brings the setting before back when it is disposed of.
 */
export function setTensorFloat32(allowed: boolean): Disposable {
  const before = native().setTensorFloat32(allowed);
  return {
    [Symbol.dispose]: () => {
      native().setTensorFloat32(before);
    },
  };
}

/** Runs `body` with TF32 allowed or forbidden. */
export function withTensorFloat32<T>(allowed: boolean, body: () => T): T {
  using _setting = setTensorFloat32(allowed);
  return body();
}
