import type { DemoDescription } from '../../src/browser/demo-description.js';
import type { BrowserPgdOptions } from '../../src/browser/pgd.js';
import { element, make } from './elements.js';
import type { Gallery } from './gallery.js';
import type { NetworkClient } from './network-client.js';
import { decodePicture } from './pictures.js';
import type { Verdict } from './protocol.js';

/** Images that are attacked at once. */
const batch = 10;

/** Attacks every test image on both networks, and shows the verdicts on the tiles and as counts; stops between batches. */
export async function survey(
  description: DemoDescription,
  clients: readonly NetworkClient[],
  gallery: Gallery,
  { signal, ...options }: BrowserPgdOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const { images, shape, networks } = description;
  const progress = element('survey-progress', HTMLElement);
  const all: Verdict[][] = networks.map(() => []);
  const began = performance.now();
  for (let start = 0; start < images.length; start += batch) {
    progress.textContent = signal.aborted
      ? `stopped after ${start} of ${images.length}`
      : `${start} of ${images.length}`;
    if (signal.aborted) return;
    const part = images.slice(start, start + batch);
    const pixels = await Promise.all(
      part.map(async ({ file }) => decodePicture(await (await fetch(file)).blob(), shape)),
    );
    const joined = new Float32Array(pixels.reduce((sum, { length }) => sum + length, 0));
    for (const [index, each] of pixels.entries()) joined.set(each, index * each.length);
    const attacked = {
      images: joined,
      labels: part.map(({ label }) => label),
      ids: part.map(({ id }) => id),
    };
    const verdicts = await Promise.all(clients.map((client) => client.survey(attacked, options)));
    for (const [index] of part.entries())
      gallery.setVerdicts(
        start + index,
        verdicts.map((each) => each[index]!),
      );
    for (const [network, each] of verdicts.entries()) all[network]!.push(...each);
    showCounts(description, all);
  }
  const seconds = (performance.now() - began) / 1000;
  progress.textContent = `${images.length} images in ${seconds.toFixed(1)}\u202fs`;
  // For whoever compares them with `satin evaluate`.
  Object.assign(window, { satinSurvey: { seconds, verdicts: all } });
}

function showCounts({ networks }: DemoDescription, all: readonly (readonly Verdict[])[]): void {
  element('survey-result', HTMLUListElement).replaceChildren(
    ...networks.map(({ title }, network) => {
      const verdicts = all[network]!;
      const right = verdicts.filter(({ isRight }) => isRight).length;
      const holds = verdicts.filter(({ holds }) => holds).length;
      return make('li', {
        children: [
          make('strong', { text: `${title}: ${holds} of ${verdicts.length} hold` }),
          document.createTextNode(`, ${right} were right before`),
        ],
      });
    }),
  );
}
