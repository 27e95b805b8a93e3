/**
 * The report: one HTML file that holds everything it shows. It has no script and loads nothing (its own
 * content policy forbids it), so it reads the same from a disk, from a mail and in ten years.
 */
import { InputError } from '../errors.js';
import { attackTable, howToRead } from './attacks.js';
import { accuracies, accuracyAgainstEpsilon, learningCurves } from './curves.js';
import { gallerySection } from './gallery.js';
import { headline } from './headline.js';
import { html, raw } from './html.js';
import type { ReportInput } from './input.js';
import { provenance } from './provenance.js';
import { stylesheet } from './style.js';

/**
 * The report as one self-contained HTML document.
 *
 * @throws InputError where there is no network, two networks share a name, or a picture is not of its shape.
 */
export async function renderReport(input: ReportInput): Promise<string> {
  const names = input.networks.map(({ name }) => name);
  if (names.length === 0) throw InputError.expected('at least one network', 'the report', 'none');
  if (new Set(names).size < names.length)
    throw InputError.expected('a different name for each network', 'the report', names.join(', '));
  const page = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${input.title}</title>
<style>${raw(stylesheet)}</style>
</head>
<body>
<main>
${headline(input)}
${learningCurves(input)}
<div class="two">
${accuracies(input)}
${accuracyAgainstEpsilon(input)}
</div>
${gallerySection(input)}
${attackTable(input)}
${howToRead(input)}
${provenance(input)}
</main>
<footer>Made by Satin. Nothing in this file is loaded from elsewhere.</footer>
</body>
</html>
`;
  return page.toString();
}
