import type { Model } from '../../models/model.js';
import type { Recipe } from '../../recipe/recipe.js';
import { Adam } from '../../training/optimizers/adam.js';
import type { Optimizer } from '../../training/optimizers/optimizer.js';
import { Sgd } from '../../training/optimizers/sgd.js';

/** The optimiser of a recipe for the parameters of a model. */
export function buildOptimizer(settings: Recipe['training']['optimizer'], model: Model): Optimizer {
  const parameters = model.network.parameters();
  if (settings.name === 'sgd') return new Sgd(parameters, settings);
  return new Adam(parameters, { ...settings, decoupled: settings.name === 'adamw' });
}
