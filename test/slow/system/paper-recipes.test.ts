/** The smoke runs of the recipes that only differ in size from those that test/system/paper-recipes trains. */
import { isScaled, paperRecipes, smokeRuns } from '../../support/smoke-runs.js';

smokeRuns(paperRecipes.filter(isScaled));
