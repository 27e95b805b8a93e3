import type { Attack, GradientAttack, Threat } from '../../attacks/attack.js';
import { parseGradientAttack } from '../../attacks/attack.js';
import { norms } from '../../attacks/norms.js';
import { attackBatch } from '../attack-batch.js';
import { pause } from '../interruption.js';
import type { Flag, FlagCode } from './flag.js';
import { type CheckCallbacks, checksInterrupted, type Probe, uncounted } from './probe.js';
import { thresholds } from './thresholds.js';

const attack = parseGradientAttack('pgd-20');
const longer = parseGradientAttack('pgd-60');
/** Uniform random points of the ball, without gradient steps. */
const noise: GradientAttack = { ...attack, name: 'noise', steps: 0, relativeStep: 0, restarts: 20 };
const square: Attack = { kind: 'square', name: 'square', steps: 300, restarts: 1 };

/**
 * Conditions that hold for every network whose gradients are not masked, on correctly classified images: more steps or
 * a larger ε break no fewer examples, ε = 0 breaks none and the whole box breaks all, and neither a gradient-free
 * search nor random noise breaks more than a gradient-based attack.
 */
export async function monotone(probe: Probe, callbacks: CheckCallbacks = {}): Promise<Flag[]> {
  const { interrupted, onProgress } = callbacks;
  const { threat, batch } = probe;
  const { norm, epsilon } = threat;
  const count = batch.ids.length;
  const slack = Math.max(thresholds.monotoneImages, thresholds.monotoneShare * count);
  const attacks = epsilon === 0 ? 2 : 7;
  let done = 0;
  const broken = async (each: Attack, within: Threat = threat) => {
    const found = await countBroken(probe, {
      attack: each,
      threat: within,
      ...(interrupted !== undefined && { interrupted }),
    });
    onProgress?.(++done, attacks);
    return found;
  };
  const flags: Flag[] = [];
  const expect = (holds: boolean, code: FlagCode, message: string) => {
    if (!holds) flags.push({ code, message });
  };

  const unperturbed = await broken(attack, { norm, epsilon: 0 });
  expect(
    unperturbed <= (probe.subject.random === true ? slack : 0),
    'zero-epsilon-breaks',
    `With ε = 0 an attack broke ${unperturbed} of ${count} images without changing them: the model's output for one image varies. Look for randomness, batch norm in training mode, or state kept between images.`,
  );
  const whole = await broken(attack, wholeBox(threat, batch.x.size / count));
  expect(
    count - whole <= slack,
    'huge-epsilon-stands',
    `With an ε that allows any pixel value ${count - whole} of ${count} images were still robust, though no network can be: the attack cannot follow the gradient. See the flags on zero or misleading gradients, and use square and a surrogate derivative.`,
  );
  if (epsilon === 0) return flags;

  const plain = await broken(attack);
  const more = await broken(longer);
  expect(
    more >= plain - slack,
    'more-steps-are-weaker',
    `${longer.name} broke ${more} of ${count} images and ${attack.name} ${plain}: more steps must not weaken an attack. The attack fails to maximise the loss; try restarts, other losses (pgd-cw-50, apgd-dlr) and square.`,
  );
  const wider = await broken(attack, { norm, epsilon: 2 * epsilon });
  expect(
    wider >= plain - slack,
    'larger-epsilon-is-weaker',
    `With twice the ε ${attack.name} broke ${wider} of ${count} images, and ${plain} with ε itself, though the larger ball contains the smaller: the steps overshoot on a rough loss surface. Use attacks with an adaptive step size (apgd-ce, apgd-t), and square.`,
  );
  const blind = await broken(square);
  expect(
    blind <= plain + slack,
    'black-box-beats-white-box',
    `Square with ${square.steps} queries broke ${blind} of ${count} images and ${attack.name}, which uses gradients, ${plain}: the gradients are masked. Do not trust gradient-based attacks; add square and a surrogate derivative.`,
  );
  const random = await broken(noise);
  expect(
    random <= plain + slack,
    'noise-beats-attack',
    `${noise.restarts} random points of the ball broke ${random} of ${count} images and ${attack.name} ${plain}: the attack is weaker than random noise. See the flags on zero or misleading gradients, and add square.`,
  );
  return flags;
}

/**
 * A ball around any image of `numbers` pixels that contains the whole box. In L1 it is that of L∞: as points they are the same, but
 * in L1 a step moves few pixels, and would not get through the box.
 */
function wholeBox({ norm }: Threat, numbers: number): Threat {
  return norm.name === 'l2' ? { norm, epsilon: Math.sqrt(numbers) } : { norm: norms.linf, epsilon: 1 };
}

/** Number of images that an attack breaks. */
async function countBroken(
  probe: Probe,
  options: { readonly attack: Attack; readonly threat: Threat; readonly interrupted?: () => boolean },
): Promise<number> {
  const { attack, threat, interrupted } = options;
  const { subject, batch, seed, classes } = probe;
  const search = attackBatch(subject, batch, { attack, threat, seed, classes, count: uncounted() });
  try {
    for (let state = search.next(); ; state = search.next()) {
      if (state.done === true) return state.value.length;
      await pause(interrupted, checksInterrupted);
    }
  } finally {
    search.return([]); // frees its tensors if it was interrupted
  }
}
