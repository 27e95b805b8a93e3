import { type ModelName, modelNames } from '../../models/architectures/names.js';
import type { ExternalDescription } from '../../models/external-description.js';
import { createNetwork } from '../../models/network.js';
import { MetaInitialiser } from '../../nn/initialise.js';
import type { WeightArray } from '../../weights/module-weights.js';
import { matchParameterNames } from '../../weights/parameter-names.js';

export interface NearArchitecture {
  readonly architecture: ModelName;
  /** Tensors of the same name and shape, as a fraction of all names of the two. */
  readonly share: number;
}

/** Less than this in common is no resemblance. */
const least = 0.3;

/**
 * The architectures that weights resemble most, with the width and classes of `description`; the best first, at most three.
 * Networks are built without numbers.
 */
export function nearestArchitectures(
  arrays: readonly WeightArray[],
  description: ExternalDescription,
): readonly NearArchitecture[] {
  return modelNames
    .map((architecture) => ({ architecture, share: shareOf(arrays, { ...description, architecture }) }))
    .filter(({ share }) => share >= least)
    .sort((a, b) => b.share - a.share)
    .slice(0, 3);
}

function shareOf(arrays: readonly WeightArray[], description: ExternalDescription): number {
  const { padding: _, ...symmetric } = description;
  const network = createNetwork(symmetric, new MetaInitialiser());
  try {
    const state = new Map([...network.state()].map(([name, { shape }]) => [name, shape.join()]));
    const renamed = matchParameterNames(arrays, new Set(state.keys())).arrays;
    const same = renamed.filter(({ name, shape }) => state.get(name) === shape.join()).length;
    return same / new Set([...state.keys(), ...renamed.map(({ name }) => name)]).size;
  } catch {
    return 0; // names that are not unique in this network
  } finally {
    network.dispose();
  }
}

/** The sentences that follow a refusal of weights. */
export function advice(near: readonly NearArchitecture[], stated: ModelName): string {
  const [best] = near;
  const others = near.map(({ architecture, share }) => `${architecture} (${Math.floor(100 * share)} %)`);
  const meant =
    best === undefined
      ? 'No architecture of Satin resembles them.'
      : best.architecture === stated
        ? `They resemble ${others[0]} most: compare classes, channels, width and activation.`
        : `Of their tensors, these share most: ${others.join(', ')}.`;
  return `${meant} Any other network can be traced: torch.jit.trace(model.eval(), images).save('model.pt').`;
}
