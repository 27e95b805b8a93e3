const namespace = 'http://www.w3.org/2000/svg';

/** Two shares by step, as lines: that of the true class, and the largest of another one. */
export class Course {
  readonly figure: SVGSVGElement;
  readonly #ofTrue = svg('path', { class: 'of-true' });
  readonly #ofOther = svg('path', { class: 'of-other' });
  readonly #now = svg('line', { class: 'now', y1: 0, y2: 100 });

  constructor() {
    this.figure = svg('svg', { viewBox: '0 0 100 100', preserveAspectRatio: 'none', role: 'img' });
    for (const y of [0, 50, 100])
      this.figure.append(
        svg('line', { class: 'axis', x1: 0, x2: 100, y1: y, y2: y, 'vector-effect': 'non-scaling-stroke' }),
      );
    this.figure.append(this.#ofTrue, this.#ofOther, this.#now);
  }

  /** @param shares by step, as far as they are known; `steps` is the last step there will be. */
  draw(
    shares: readonly { readonly ofTrue: number; readonly ofOther: number }[],
    { steps, now }: { readonly steps: number; readonly now: number },
  ): void {
    const x = (step: number) => (100 * step) / Math.max(1, steps);
    const line = (values: readonly number[]) =>
      values.map((value, step) => `${step === 0 ? 'M' : 'L'}${x(step)} ${100 - 100 * value}`).join('');
    this.#ofTrue.setAttribute('d', line(shares.map(({ ofTrue }) => ofTrue)));
    this.#ofOther.setAttribute('d', line(shares.map(({ ofOther }) => ofOther)));
    for (const end of ['x1', 'x2']) this.#now.setAttribute(end, String(x(now)));
  }

  describe(text: string): void {
    this.figure.setAttribute('aria-label', text);
  }
}

function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | number>>,
): SVGElementTagNameMap[Tag] {
  const made = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}
