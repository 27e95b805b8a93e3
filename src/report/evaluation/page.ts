/**
 * The page of one evaluation of any model: accuracies, attacks, flags of the checks, and provenance.
 */

import { howToRead } from '../attack-table.js';
import { accuracyAgainstEpsilon } from '../curves.js';
import { gallerySection, theModel } from '../gallery.js';
import { html } from '../page/html.js';
import { page } from '../page/page.js';
import { warningList } from '../page/warning-list.js';
import { attackSequence } from './attack-sequence.js';
import { confusionTable } from './confusion-table.js';
import { evaluationHeadline, flagBox } from './headline.js';
import type { EvaluationPageInput } from './input.js';
import { outcomes } from './outcomes.js';
import { perClass } from './per-class.js';
import { evaluationFacts } from './settings-table.js';

/** Renders one self-contained HTML document. */
export function renderEvaluation(input: EvaluationPageInput): Promise<string> {
  const { result, curve, gallery } = input;
  return page({
    title: `Robustness of ${result.model}`,
    body: html`${evaluationHeadline(input)}
${flagBox(result)}
${warningList(result.warnings)}
${!input.isWhole && html`<p class="notice">This page was interrupted: accuracy against ε is there as far as it was measured.</p>`}
${attackSequence(result)}
<div class="two">
${accuracyAgainstEpsilon({ networks: [{ name: theModel, curve }], threat: result })}
${outcomes(result)}
</div>
${perClass(result)}
${confusionTable(result)}
${gallerySection({ gallery, names: [theModel], threat: result })}
${howToRead({ threat: result })}
${evaluationFacts(input)}`,
  });
}
