import type { ForwardPlan, ForwardStep } from './steps.js';

/**
 * How many of the first steps keep the height and width of the images and lead to a single value: of images that differ in few
 * places, they need to be computed in few places. 0 for none.
 */
export function leadingSteps({ shape, images, steps, sizes }: ForwardPlan): number {
  const [, height, width] = shape;
  const keepsPlaces = (step: ForwardStep) =>
    step.kind === 'curve'
      ? sizes[step.to]! === step.channels * height * width
      : step.kind === 'convolution' &&
        step.geometry.stride === 1 &&
        step.geometry.height === height &&
        step.geometry.outHeight === height &&
        step.geometry.width === width &&
        step.geometry.outWidth === width;
  const end = steps.findIndex((step) => !keepsPlaces(step));
  for (let count = end < 0 ? steps.length - 1 : end; count > 0; count--) {
    const made = new Set([images, ...steps.slice(0, count).map(({ to }) => to)]);
    made.delete(steps[count - 1]!.to);
    if (!steps.slice(count).some(({ from, other }) => made.has(from) || (other !== null && made.has(other))))
      return count;
  }
  return 0;
}
