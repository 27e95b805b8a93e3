/** How far the colours of a training image are changed. */
export interface ColourOptions {
  /** Brightness is multiplied by a factor drawn from 1 ± this; 0 is off. */
  readonly brightness: number;
  /** Likewise for contrast: the distance from the image's mean grey, or from its mean colour (tensorpack). */
  readonly contrast: number;
  /** Likewise for saturation: the distance of each pixel from its own grey. */
  readonly saturation: number;
  /** Standard deviation of the shifts along the principal colours of ImageNet (Krizhevsky et al., 2012); 0 is off. */
  readonly lighting: number;
}

/** Number of uniform draws in [0, 1) per image: three factors, the order of four steps, three pairs for normal numbers. */
export const colourDraws = 3 + 3 + 6;

export type Vector = readonly [red: number, green: number, blue: number];

/** The four steps; an image's order of them is drawn. */
const steps = ['brightness', 'contrast', 'saturation', 'lighting'] as const;
export type ColourStep = (typeof steps)[number];

/** What is drawn for one image. */
export interface ColourChange {
  readonly factors: Readonly<Record<Exclude<ColourStep, 'lighting'>, number>>;
  /** The shift of lighting, for pixels in [0, 1]. */
  readonly light: Vector;
  readonly order: readonly ColourStep[];
}

/** Principal components of ImageNet's colours, for pixels in [0, 1]; the eigenvectors are the columns. */
const eigenvalues = [0.2175, 0.0188, 0.0045] as const;
const eigenvectors = [
  [-0.5675, 0.7192, 0.4009],
  [-0.5808, -0.0045, -0.814],
  [-0.5836, -0.6948, 0.4203],
] as const;

export function isOff({ brightness, contrast, saturation, lighting }: ColourOptions): boolean {
  return brightness === 0 && contrast === 0 && saturation === 0 && lighting === 0;
}

/** The change of one image from its `colourDraws` uniform numbers; the order is a uniformly random permutation. */
export function colourChange(options: ColourOptions, draws: ArrayLike<number>): ColourChange {
  const factor = (range: number, draw: number) => 1 + range * (2 * draw - 1);
  const weight = (index: number) =>
    options.lighting * normal(draws[6 + 2 * index]!, draws[7 + 2 * index]!) * eigenvalues[index]!;
  const weights = [weight(0), weight(1), weight(2)] as const;
  const along = ([first, second, third]: Vector) =>
    first * weights[0] + second * weights[1] + third * weights[2];
  const rest: ColourStep[] = [...steps];
  const order: ColourStep[] = [];
  for (let drawn = 3; rest.length > 0; drawn++) {
    const chosen = rest.length === 1 ? 0 : Math.floor(draws[drawn]! * rest.length);
    order.push(...rest.splice(chosen, 1));
  }
  return {
    factors: {
      brightness: factor(options.brightness, draws[0]!),
      contrast: factor(options.contrast, draws[1]!),
      saturation: factor(options.saturation, draws[2]!),
    },
    light: [along(eigenvectors[0]), along(eigenvectors[1]), along(eigenvectors[2])],
    order,
  };
}

/** Box and Muller (1958). */
function normal(u: number, v: number): number {
  return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
}
