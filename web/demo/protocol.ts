import type { AttackedImages, BrowserPgdOptions } from '../../src/browser/pgd.js';

/** Where networks are computed: the processor (WebAssembly) or the graphics card (WebGPU). */
export type Place = 'cpu' | 'gpu';

/** What the page asks of the worker of a network. Each request has a number, which its answers carry. */
export type Request = { readonly number: number } & (
  | {
      readonly kind: 'open';
      readonly url: string;
      readonly classes: number;
      readonly shape: readonly number[];
      readonly place: Place;
    }
  /** The logits of images as they are. */
  | { readonly kind: 'look'; readonly images: AttackedImages }
  /** PGD, iterate by iterate. */
  | { readonly kind: 'attack'; readonly images: AttackedImages; readonly options: BrowserPgdOptions }
  /** PGD, of which only the verdicts count. */
  | { readonly kind: 'survey'; readonly images: AttackedImages; readonly options: BrowserPgdOptions }
  /** No further answers to the request `stopped`. */
  | { readonly kind: 'stop'; readonly stopped: number }
);

/** An answer of a worker; `done` is the last one to a request. */
export type Answer = { readonly number: number } & (
  | { readonly kind: 'logits'; readonly logits: Float32Array }
  | {
      readonly kind: 'iterate';
      readonly step: number;
      readonly images: Float32Array;
      readonly logits: Float32Array;
    }
  | { readonly kind: 'verdicts'; readonly verdicts: readonly Verdict[] }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string }
);

/** Of one image. */
export interface Verdict {
  /** Classified correctly before the attack. */
  readonly isRight: boolean;
  /** Classified correctly at every iterate. */
  readonly holds: boolean;
  /** The largest margin of an iterate: above 0 if it is fooled. */
  readonly margin: number;
}
