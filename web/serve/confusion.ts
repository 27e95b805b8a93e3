import { count } from '../../src/report/page/format.js';
import type { Confusion, EvaluationDetails } from '../../src/serve/api.js';
import { choose, chosen } from './address.js';
import { fill, h } from './dom.js';
import { choice, scrolled, section } from './parts.js';

const kinds = ['attacked', 'clean'] as const satisfies readonly (keyof Confusion)[];
type Kind = (typeof kinds)[number];

/** For what the images of each class are taken, with and without attack; null if the evaluation does not tell. */
export function confusionSection({ confusion, classes }: EvaluationDetails): HTMLElement | null {
  if (confusion === null) return null;
  const place = h('div');
  const show = (kind: Kind) => {
    const { matrix, mistakes } = confusion[kind];
    fill(
      place,
      matrix !== null && scrolled('Confusion of the classes', matrixTable(matrix, classes)),
      mistakes.length > 0 &&
        h(
          'p',
          {},
          'Most frequent: ',
          mistakes
            .slice(0, matrix === null ? 15 : 3)
            .map(({ from, to, count: images }) => `${from} taken for ${to} (${count(images)})`)
            .join(', '),
          '.',
        ),
    );
  };
  const first: Kind = chosen('confusion') === 'clean' ? 'clean' : 'attacked';
  show(first);
  return section(
    'confusion',
    'What is taken for what',
    h(
      'p',
      {},
      'A row for each true class, a column for each predicted one; what is right is on the diagonal.',
    ),
    h(
      'div',
      { class: 'tools' },
      choice({
        label: 'Images',
        values: kinds,
        chosen: first,
        names: { attacked: 'under attack', clean: 'without attack' },
        onChoose: (kind) => {
          choose({ confusion: kind === 'clean' ? kind : null });
          show(kind);
        },
      }),
    ),
    place,
  );
}

function matrixTable(matrix: readonly (readonly number[])[], classes: readonly string[]): HTMLElement {
  return h(
    'table',
    { class: 'confusion' },
    h('thead', {}, h('tr', {}, h('td'), ...classes.map((name) => h('th', { scope: 'col' }, name)))),
    h(
      'tbody',
      {},
      ...matrix.map((row, from) => {
        const total = Math.max(
          1,
          row.reduce((sum, each) => sum + each, 0),
        );
        return h(
          'tr',
          {},
          h('th', { scope: 'row' }, classes[from] ?? String(from)),
          ...row.map((images, to) => {
            const colour = from === to ? 'var(--series1)' : 'var(--series0)';
            const strength = ((images / total) * 45).toFixed(1);
            const background = `color-mix(in srgb, ${colour} ${strength}%, transparent)`;
            return h('td', { style: { background } }, images === 0 ? '' : count(images));
          }),
        );
      }),
    ),
  );
}
