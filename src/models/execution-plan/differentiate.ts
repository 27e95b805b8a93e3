import type { BackwardPlan, BackwardStep, ForwardPlan, ForwardStep, ValueNumber } from './steps.js';

/**
 * The way back through a plan, in the reverse order of its steps. What is added where a value is read several times, and the
 * product with the slopes of its curve, become part of the step that brings the last part of its gradient.
 */
export function differentiate({ sizes, steps, logits, images }: ForwardPlan): BackwardPlan {
  const all = [...sizes];
  const back: BackwardStep[] = [];
  const keeps = new Set(steps.filter((step) => step.keeps).map(({ to }) => to));
  const awaited = new Map<ValueNumber, number>();
  for (const { from, other } of steps)
    for (const value of other === null ? [from] : [from, other])
      awaited.set(value, (awaited.get(value) ?? 0) + 1);
  /** Of each value the sum of the parts so far; once nothing more is awaited, times the slopes. */
  const gradients = new Map<ValueNumber, ValueNumber>();

  /** The gradient of a value becomes `part`'s result plus what there is. */
  const add = (value: ValueNumber, part: (sum: Target) => BackwardStep) => {
    const left = awaited.get(value)! - 1;
    awaited.set(value, left);
    const to = all.push(sizes[value]!) - 1;
    const other = gradients.get(value) ?? null;
    back.push(part({ to, other, slopesOf: left === 0 && keeps.has(value) ? value : null }));
    gradients.set(value, to);
  };
  /** The same where the part is a gradient as it is: a step only if something has to be computed. */
  const pass = (value: ValueNumber, gradient: ValueNumber) => {
    const isLast = awaited.get(value) === 1;
    if (gradients.has(value) || (isLast && keeps.has(value)))
      return add(value, (sum) => ({ kind: 'sum', from: gradient, ...sum }));
    awaited.set(value, awaited.get(value)! - 1);
    gradients.set(value, gradient);
  };

  const begin = all.push(sizes[logits]!) - 1;
  gradients.set(logits, begin);
  for (const step of [...steps].reverse()) {
    const gradient = gradients.get(step.to)!;
    if (step.kind === 'gate')
      add(step.other, (sum) => ({ kind: 'gate-to-gate', from: gradient, forward: step, ...sum }));
    // First what costs nothing, so that the sum is part of the convolution.
    else if (step.other !== null) pass(step.other, gradient);
    if (step.kind === 'curve') pass(step.from, gradient);
    else add(step.from, (sum) => backOf(step, gradient, sum));
  }
  return { sizes: all, logits: begin, steps: back, images: gradients.get(images)! };
}

type Target = Pick<BackwardStep, 'to' | 'other' | 'slopesOf'>;

function backOf(
  step: Exclude<ForwardStep, { kind: 'curve' }>,
  from: ValueNumber,
  target: Target,
): BackwardStep {
  switch (step.kind) {
    case 'mean':
      return { kind: 'mean', from, places: step.places, ...target };
    case 'max-pool':
      return { kind: 'max-pool', from, forward: step, ...target };
    case 'gate':
      return { kind: 'gate', from, forward: step, ...target };
    case 'convolution':
      return { kind: 'convolution', from, forward: step, ...target };
  }
}
