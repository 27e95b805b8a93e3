/** The report of training runs: learning curves, accuracies and provenance. */
import { InputError } from '../../errors.js';
import { attackTable, howToRead } from '../attack-table.js';
import { accuracies, accuracyAgainstEpsilon, learningCurves } from '../curves.js';
import { gallerySection } from '../gallery.js';
import type { ReportInput } from '../input.js';
import { html } from '../page/html.js';
import { page } from '../page/page.js';
import { warningList } from '../page/warning-list.js';
import { headline } from './headline.js';
import { provenance } from './provenance.js';

/**
 * Renders the report as one self-contained HTML document.
 *
 * @throws {InputError} without a network, for duplicate names, or for a picture whose data do not match its shape.
 */
export async function renderReport(input: ReportInput): Promise<string> {
  const names = input.networks.map(({ name }) => name);
  if (names.length === 0) throw InputError.expected('at least one network', 'the report', 'none');
  if (new Set(names).size < names.length)
    throw InputError.expected('a different name for each network', 'the report', names.join(', '));
  return page({
    title: input.title,
    body: html`${headline(input)}
${learningCurves(input)}
<div class="two">
${accuracies(input)}
${accuracyAgainstEpsilon(input)}
</div>
${gallerySection({ ...input, names })}
${attackTable(input)}
${warningList(warningsOf(input))}
${howToRead(input)}
${provenance(input)}`,
  });
}

/** The warnings of all networks; what concerns several is said once. */
function warningsOf({ networks }: ReportInput): string[] {
  const owners = new Map<string, string[]>();
  for (const { name, warnings } of networks)
    for (const warning of warnings) owners.set(warning, [...(owners.get(warning) ?? []), name]);
  return [...owners].map(([warning, names]) =>
    names.length === networks.length ? warning : `${names.join(', ')}: ${warning}`,
  );
}
