import { element } from './elements.js';

const side = 320;
const stroke = 22;

/** A sheet to draw on; `onDrawn` is called after each stroke. */
export class DrawingPad {
  readonly canvas = element('pad', HTMLCanvasElement);
  readonly #context: CanvasRenderingContext2D;
  readonly #paper: string;
  readonly #ink: () => string;

  constructor(options: { readonly isGrey: boolean; readonly onDrawn: (canvas: HTMLCanvasElement) => void }) {
    const { isGrey, onDrawn } = options;
    const ink = element('ink', HTMLInputElement);
    element('ink-choice', HTMLElement).hidden = isGrey;
    // Digits and clothes are light on black.
    [this.#paper, this.#ink] = isGrey ? ['#000000', () => '#ffffff'] : ['#d8dde0', () => ink.value];
    [this.canvas.width, this.canvas.height] = [side, side];
    this.#context = this.canvas.getContext('2d')!;
    this.#clear();
    element('clear', HTMLButtonElement).addEventListener('click', () => {
      this.#clear();
      onDrawn(this.canvas);
    });
    let last: readonly [number, number] | null = null;
    this.canvas.addEventListener('pointerdown', (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      last = this.#place(event);
      this.#line(last, last);
    });
    this.canvas.addEventListener('pointermove', (event) => {
      if (last === null) return;
      const next = this.#place(event);
      this.#line(last, next);
      last = next;
    });
    const end = () => {
      if (last !== null) onDrawn(this.canvas);
      last = null;
    };
    this.canvas.addEventListener('pointerup', end);
    this.canvas.addEventListener('pointercancel', end);
  }

  #clear(): void {
    this.#context.fillStyle = this.#paper;
    this.#context.fillRect(0, 0, side, side);
  }

  #line([x, y]: readonly [number, number], [toX, toY]: readonly [number, number]): void {
    const context = this.#context;
    context.strokeStyle = this.#ink();
    context.lineWidth = stroke;
    context.lineCap = 'round';
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(toX, toY);
    context.stroke();
  }

  #place(event: PointerEvent): readonly [number, number] {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [((event.clientX - left) / width) * side, ((event.clientY - top) / height) * side];
  }
}
