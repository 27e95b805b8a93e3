import type { Classifier } from '../nn/classifier.js';
import { range, where, zeros, zerosLike } from '../tensor/create.js';
import { gradient, noGrad, withGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { AttackGenerator } from './attack-generator.js';
import { chooseImages } from './choose-images.js';
import { isMisclassified } from './is-misclassified.js';
import { attackLosses } from './losses.js';
import { mixProjections } from './mix-projections.js';
import type { Norm } from './norm.js';
import type { GradientObserver, Observer } from './observer.js';
import { stepToHyperplane } from './projection.js';
import { RemainingExamples } from './remaining-examples.js';

/** Inputs of FAB. */
export interface FabInputs {
  readonly x: Tensor; // [N, C, H, W]
  readonly labels: Tensor; // int64 [N]
  /** First iterate, inside the box: the image itself or a random point near it. */
  readonly start: Tensor;
  /** Target class, int64 [N]; if omitted, the class with the nearest boundary at each step. */
  readonly targets?: Tensor;
}

export interface FabOptions {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly steps: number;
  /** Called after every step with the smallest adversarial distance so far, [n]; ∞ where there is none. */
  readonly trace?: (nearest: Tensor) => void;
  /** Called with the gradient of every step. */
  readonly onGradient?: GradientObserver | undefined;
}

/** Upper bound of α, the weight of the projection of the original image. */
const alphaMax = 0.1;
/** An adversarial point is moved back to this fraction of its distance. */
const backward = 0.9;

/**
 * Fast adaptive boundary attack (Croce and Hein, 2020): searches for the nearest adversarial point. Each step
 * linearises the boundary between the label and another class, projects both the current point and the image onto this
 * hyperplane within the box, and combines the two: x ← (x + 1.05 δ_x)(1 − α) + (x₀ + 1.05 δ_0) α with
 * α = min(‖δ_x‖ / (‖δ_x‖ + ‖δ_0‖), 0.1). An adversarial point is then moved back towards the image:
 * x ← x₀ + 0.9 (x − x₀).
 *
 * Every point is passed to the observer, with `within` true for the adversarial ones within ε. The examples it drops
 * leave the batch, since a smaller distance does not change the verdict. Without an observer every example runs for all
 * steps.
 *
 * @returns the smallest adversarial distance found, [n], ∞ where none was, of the examples that were not dropped.
 */
export function* fab(
  classifier: Classifier,
  images: FabInputs,
  options: FabOptions,
  observe?: Observer,
): AttackGenerator<Tensor> {
  const { norm, epsilon, steps, trace, onGradient } = options;
  const { x: origin, labels, start: x, targets } = images;
  using set = new RemainingExamples(() => ({
    origin,
    labels,
    targets: targets ?? labels,
    x,
    nearest: zeros([x.dimension(0)], x.dtype, x.device).add(Number.POSITIVE_INFINITY),
  }));

  for (let step = 0; step < steps && set.rows.length > 0; step++) {
    let backwards = 0;
    set.step((state, rows) => {
      const boundary =
        targets === undefined ? nearestBoundary(classifier, state, norm) : targetBoundary(classifier, state);
      const { excess, w } = boundary;
      backwards = boundary.passes * rows.length;
      onGradient?.(w, rows);
      const fromPoint = stepToHyperplane(norm.name, state.x, { w, excess });
      // The same hyperplane relative to the image: excess + w · (x₀ − x).
      const shift = w.mul(state.origin.sub(state.x)).sum(pixels); // [n]
      const fromImage = stepToHyperplane(norm.name, state.origin, { w, excess: excess.add(shift) });
      const [pointLength, imageLength] = [fromPoint, fromImage].map((each) =>
        norm.length(each).clamp(1e-8, Number.POSITIVE_INFINITY),
      ) as [Tensor, Tensor];
      const alpha = pointLength.div(pointLength.add(imageLength)).clamp(0, alphaMax); // [n, 1, 1, 1]
      const point = mixProjections({ x: state.x, fromPoint, origin: state.origin, fromImage, alpha });

      const logits = noGrad(() => classifier(point));
      const adversarial = isMisclassified(logits, state.labels); // bool [n]
      const distance = norm.length(point.sub(state.origin)); // [n, 1, 1, 1]
      const adversarialDistance = where(adversarial, distance.flatten(), infinite(state.nearest));
      const nearest = state.nearest.minimum(adversarialDistance);
      trace?.(nearest);
      const contracted = state.origin.add(point.sub(state.origin).mul(backward));
      return {
        next: { x: chooseImages(adversarial, contracted, point), nearest },
        active:
          observe?.({
            x: point,
            logits,
            labels: state.labels,
            within: adversarialDistance.greater(epsilon).not(),
            rows,
          }) ?? null,
      };
    });
    yield { backwards };
  }
  return set.parts.nearest.clone();
}

const pixels = [1, 2, 3] as const;

/** The linearised boundary f(x) + w · (z − x) = 0 for f = z_target − z_label. */
function targetBoundary(classifier: Classifier, state: { x: Tensor; labels: Tensor; targets: Tensor }) {
  const point = state.x.detach().requireGrad_();
  const margin = withGrad(() =>
    attackLosses['targeted-margin'](classifier(point), state.labels, state.targets),
  );
  return { excess: margin.detach(), w: gradient(margin.sum(), point), passes: 1 };
}

interface Boundary {
  readonly excess: Tensor; // [n]
  readonly w: Tensor;
  /** Distance to the hyperplane, in the norm, [n]. */
  readonly away: Tensor;
}

/** The nearest of the linearised boundaries to all other classes, in the norm; one backward pass per class. */
function nearestBoundary(classifier: Classifier, state: { x: Tensor; labels: Tensor }, norm: Norm) {
  const point = state.x.detach().requireGrad_();
  const logits = withGrad(() => classifier(point));
  const classes = logits.dimension(1);
  const all = range(classes, logits.device);
  const boundaryTo = (target: number): Boundary => {
    const targets = all.narrow(0, target, 1).expand([point.dimension(0)]);
    const margin = withGrad(() => attackLosses['targeted-margin'](logits, state.labels, targets));
    const w = gradient(margin.sum(), point, { retainGraph: target < classes - 1 });
    const excess = margin.detach();
    const distance = excess.abs().div(norm.dualLength(w).flatten().add(1e-12));
    const isUnknown = targets.eq(state.labels).maximum(distance.ne(distance)); // bool: or
    return { excess, w, away: where(isUnknown, infinite(distance), distance) };
  };
  let nearest = scope(() => boundaryTo(0));
  for (let target = 1; target < classes; target++) {
    const before = nearest;
    nearest = scope(() => {
      const found = boundaryTo(target);
      const nearer = found.away.less(before.away);
      return {
        excess: where(nearer, found.excess, before.excess),
        w: chooseImages(nearer, found.w, before.w),
        away: found.away.minimum(before.away),
      };
    });
    for (const part of Object.values(before) as Tensor[]) part.dispose();
  }
  return { ...nearest, passes: classes };
}

function infinite(like: Tensor): Tensor {
  return zerosLike(like).add(Number.POSITIVE_INFINITY);
}
