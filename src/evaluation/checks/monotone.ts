import type { Attack, GradientAttack, Threat } from '../../attacks/attack.js';
import { parseGradientAttack } from '../../attacks/attack.js';
import { attackBatch } from '../attack-batch.js';
import { pause } from '../interruption.js';
import type { Flag, FlagCode } from './flag.js';
import { type CheckCallbacks, interruptedChecks, type Probe, uncounted } from './probe.js';
import { thresholds } from './thresholds.js';

const attack = parseGradientAttack('pgd-20');
const longer = parseGradientAttack('pgd-60');
/** Random points of the ball, in place of steps. */
const noise: GradientAttack = { ...attack, name: 'noise', steps: 0, relativeStep: 0, restarts: 20 };
const square: Attack = { kind: 'square', name: 'square', steps: 300, restarts: 1 };

/**
 * What must hold of every network that attacks can see through, on images that it classifies rightly: more steps and a
 * larger ε break no fewer, ε = 0 breaks none and the whole box all, and neither a search without gradient nor noise breaks
 * more than the gradient does.
 */
export async function monotone(probe: Probe, watch: CheckCallbacks = {}): Promise<Flag[]> {
  const { interrupted, onProgress } = watch;
  const { threat, batch } = probe;
  const { norm, epsilon } = threat;
  const count = batch.ids.length;
  const slack = Math.max(thresholds.monotoneImages, thresholds.monotoneShare * count);
  const attacks = epsilon === 0 ? 2 : 7;
  let done = 0;
  const broken = async (each: Attack, radius: number = epsilon) => {
    const found = await countBroken(probe, {
      attack: each,
      threat: { norm, epsilon: radius },
      ...(interrupted !== undefined && { interrupted }),
    });
    onProgress?.(++done, attacks);
    return found;
  };
  const flags: Flag[] = [];
  const expect = (holds: boolean, code: FlagCode, message: string) => {
    if (!holds) flags.push({ code, message });
  };

  const still = await broken(attack, 0);
  expect(
    still <= (probe.subject.random === true ? slack : 0),
    'zero-epsilon-breaks',
    `With ε = 0 an attack broke ${still} of ${count} images, which it could not change: the model's answer to one image varies. Look for randomness, for batch norm in training mode, or for a state that the model keeps between images.`,
  );
  const whole = await broken(attack, wholeBox(threat, batch.x.size / count));
  expect(
    count - whole <= slack,
    'huge-epsilon-stands',
    `With every pixel free to take any value ${count - whole} of ${count} images still stood, where any network must fall: the attack cannot follow the gradient. Look at the zero and misleading gradients above, and use square and a surrogate derivative.`,
  );
  if (epsilon === 0) return flags;

  const plain = await broken(attack);
  const more = await broken(longer);
  expect(
    more >= plain - slack,
    'more-steps-are-weaker',
    `${longer.name} broke ${more} of ${count} images and ${attack.name} ${plain}: more steps should not help the defender. The attack is not climbing; try restarts, other losses (pgd-cw-50, apgd-dlr) and square.`,
  );
  const wider = await broken(attack, 2 * epsilon);
  expect(
    wider >= plain - slack,
    'larger-epsilon-is-weaker',
    `At twice the ε ${attack.name} broke ${wider} of ${count} images, and ${plain} at ε itself, though every smaller change was allowed too: steps overshoot a rough loss. Use attacks that choose their steps (apgd-ce, apgd-t), and square.`,
  );
  const blind = await broken(square);
  expect(
    blind <= plain + slack,
    'black-box-beats-white-box',
    `Square with ${square.steps} queries broke ${blind} of ${count} images and ${attack.name}, which knows the gradient, ${plain}: the gradient hides the way. Do not trust attacks along it; add square and a surrogate derivative.`,
  );
  const drawn = await broken(noise);
  expect(
    drawn <= plain + slack,
    'noise-beats-attack',
    `${noise.restarts} random points of the ball broke ${drawn} of ${count} images and ${attack.name} ${plain}: an attack that loses to noise finds nothing. Look at the zero and misleading gradients, and add square.`,
  );
  return flags;
}

/** The radius of a ball around any image that holds every other image of so many numbers. */
function wholeBox({ norm }: Threat, numbers: number): number {
  return norm.name === 'linf' ? 1 : Math.sqrt(numbers);
}

/** How many images of a probe an attack breaks. */
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
      await pause(interrupted, interruptedChecks);
    }
  } finally {
    search.return([]); // frees what it holds, where it was left before its end
  }
}
