import type { ModelDescription } from '../models/description.js';
import { defaults } from './defaults.js';
import type { Recipe } from './recipe.js';

/** The part of a model description that the section `model` decides; standard values are left out, as in files. */
export function networkOf({
  model,
}: Pick<Recipe, 'model'>): Pick<
  ModelDescription,
  'architecture' | 'width' | 'activation' | 'padding' | 'normEpsilon'
> {
  const { name, width, activation, padding, normEpsilon } = model;
  return {
    architecture: name,
    width,
    activation,
    ...(padding !== 'symmetric' && { padding }),
    ...(normEpsilon !== defaults.model.normEpsilon && { normEpsilon }),
  };
}
