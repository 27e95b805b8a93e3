import type { Threat } from '../attacks/attack.js';
import { requireArgument } from '../user-input/require-argument.js';

/** @throws {InputError} for a threat model without a norm or a radius. */
export function requireThreat(threat: Threat): void {
  requireArgument(threat, 'threat', 'threat');
  requireArgument(threat.norm, 'norm', 'threat.norm');
  requireArgument(threat.epsilon, 'number', 'threat.epsilon');
}
