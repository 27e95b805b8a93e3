import type { Attack } from '../../attacks/attack.js';
import { lossFor } from '../../attacks/losses.js';
import type { Flag } from './flag.js';

/** An attack climbs another loss than it is known for, since that one needs more classes. */
export function fewClasses(attacks: readonly Attack[], classes: number): Flag | null {
  const changed = attacks.filter(
    (attack) => attack.kind === 'apgd' && lossFor(attack.loss, classes) !== attack.loss,
  );
  if (changed.length === 0) return null;
  const names = changed.map(({ name }) => name).join(', ');
  const message = `With ${classes} classes ${names} climbed the plain margin: DLR needs 3 classes and its targeted form 4. The reference does not define these attacks here, so set the number beside none of its own.`;
  return { code: 'few-classes', message };
}
