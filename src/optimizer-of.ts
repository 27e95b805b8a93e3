import type { Model } from './models/model.js';
import type { Recipe } from './recipe.js';
import { Adam } from './training/adam.js';
import type { Optimizer } from './training/optimizer.js';
import { Sgd } from './training/sgd.js';

/** The optimiser that a recipe names, over the parameters of a model. */
export function optimizerOf(settings: Recipe['training']['optimizer'], model: Model): Optimizer {
  const parameters = model.network.parameters();
  if (settings.name === 'sgd') return new Sgd(parameters, settings);
  return new Adam(parameters, { ...settings, decoupled: settings.name === 'adamw' });
}
