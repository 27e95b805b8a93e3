import { scope } from '../../dist/src/index.js';

/**
 * A classifier behind pixels rounded to multiples of 1/levels: its gradient is zero, so only Square can succeed. Without
 * `levels`, the classifier unchanged. reference.py has the same function.
 */
export function quantised(classify, levels) {
  if (levels === undefined) return classify;
  return (x) =>
    scope(() => {
      let steps = x.mul(0); // its derivative is 0, which is what the reference sees too
      for (let level = 0; level < levels; level++)
        steps = steps.add(x.greater((level + 0.5) / levels).to(x.dtype));
      return classify(steps.div(levels));
    });
}
