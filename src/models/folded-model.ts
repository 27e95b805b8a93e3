import type { Classifier } from '../nn/classifier.js';
import type { SearchPath } from '../nn/search-path.js';

/** A model in the form for attacks, valid while its weights do not change. */
export interface FoldedModel extends Disposable {
  readonly classify: Classifier;
  /** What ran the images so far. */
  readonly ranBy: SearchPath;
}
