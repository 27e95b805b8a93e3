import { percent } from '../../../src/report/page/format.js';
import { seriesStyle } from '../../../src/report/page/palette.js';
import type { Comparison, Curves, Difference, RunSummary } from '../../../src/serve/api.js';
import { addressOf, choose, chosen } from '../address.js';
import { type Chart, type ChartData, chart } from '../chart.js';
import {
  cleanOf,
  epochChart,
  type RunCurves,
  robustOf,
  stepChart,
  type XKind,
  xKinds,
} from '../curve-charts.js';
import { fill, h } from '../dom.js';
import { choice, scrolled, section, statusMark } from '../parts.js';
import { ask, follow, Refused } from '../server.js';
import { countOr, percentOr, short, unknown } from '../words.js';
import type { View } from './view.js';

/** Several runs: their results, curves over each other, and in what their recipes differ. */
export const compareView: View = async ({ main, signal }) => {
  const ids = [...new Set(new URLSearchParams(location.search).getAll('run'))].slice(0, 12);
  if (ids.length < 2)
    throw new Refused(0, 'Expected two or more runs in the address. Choose them in the list.');
  const load = async () => {
    const [comparison, ...curves] = await Promise.all([
      ask<Comparison>('compare', { run: ids }, signal),
      ...ids.map((run) => ask<Curves>('curves', { run, width: 400 }, signal)),
    ]);
    return { comparison, curves };
  };
  let state = await load();
  const x = (): XKind => xKinds.find((each) => each === chosen('x')) ?? 'epoch';
  const results = h('div');
  const differing = h('div');
  const charts = h('div', { class: 'charts' });
  let drawn: { readonly kind: XKind; readonly all: readonly Chart[] } | undefined;
  let drawing = new AbortController();
  signal.addEventListener('abort', () => drawing.abort());

  const draw = () => {
    const kind = x();
    const data = chartsOf(state, kind);
    if (drawn?.kind !== kind) {
      drawing.abort();
      drawing = new AbortController();
      drawn = {
        kind,
        all: data.map(({ title, format }) =>
          chart({ title, xName: kind, format, formatX: short, signal: drawing.signal }),
        ),
      };
      fill(charts, ...drawn.all.map(({ element }) => element));
    }
    for (const [at, each] of data.entries()) drawn.all[at]?.show(each.data);
  };
  const show = () => {
    fill(results, resultsOf(state.comparison.runs));
    fill(differing, ...differencesOf(state.comparison));
    draw();
  };

  fill(
    main,
    h('p', { class: 'eyebrow' }, h('a', { href: '/' }, 'Runs'), ' / Comparison'),
    h('h1', {}, `${ids.length} runs compared`),
    results,
    section(
      'curves',
      'Curves',
      h(
        'div',
        { class: 'tools' },
        choice({
          label: 'Against',
          values: xKinds,
          chosen: x(),
          onChoose: (value) => {
            choose({ x: value === 'epoch' ? null : value });
            draw();
          },
        }),
      ),
      charts,
    ),
    differing,
  );
  show();

  let isAsking = false;
  follow((change) => {
    const isOurs = change === 'again' || change.runs.some(({ id }) => ids.includes(id));
    if (!isOurs || isAsking) return;
    isAsking = true;
    load()
      .then((now) => {
        state = now;
        show();
      })
      .catch(() => undefined) // a run that vanished: what was shown stays
      .finally(() => {
        isAsking = false;
      });
  }, signal);
};

function chartsOf(
  { comparison, curves }: { readonly comparison: Comparison; readonly curves: readonly Curves[] },
  x: XKind,
) {
  const runs = comparison.runs.map((run, at): RunCurves => {
    const { colour, dash } = seriesStyle(at);
    return { name: run.id, colour, dash, curves: curves[at]!, epochs: comparison.epochs[at] ?? [] };
  });
  const share = (value: number | null | undefined) => (value == null ? unknown : percent(value));
  const titled = (
    title: string,
    data: ChartData,
    format: (value: number | null | undefined) => string = short,
  ) => ({ title, data, format });
  return [
    titled('Robust accuracy, validation', epochChart(runs, { x, pick: robustOf }), share),
    titled('Clean accuracy, validation', epochChart(runs, { x, pick: cleanOf }), share),
    titled('Training loss', stepChart(runs, { quantity: 'loss', x })),
    titled('Learning rate', stepChart(runs, { quantity: 'learningRate', x })),
    titled('ε of the training attack', stepChart(runs, { quantity: 'epsilon', x })),
    titled('Images per second', stepChart(runs, { quantity: 'imagesPerSecond', x }), countOr),
  ];
}

function resultsOf(runs: readonly RunSummary[]): HTMLElement {
  return scrolled(
    'Results of the runs',
    h(
      'table',
      {},
      h(
        'caption',
        {},
        'Accuracies on validation images at the best epoch so far: for comparison under attack evaluate the runs',
      ),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...['Run', 'State', 'Best epoch', 'Clean', 'Robust', 'Epochs'].map((name) =>
            h('th', { scope: 'col' }, name),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        ...runs.map((run, at) =>
          h(
            'tr',
            {},
            h(
              'th',
              { scope: 'row' },
              h('span', {
                class: 'swatch',
                'aria-hidden': 'true',
                style: { background: seriesStyle(at).colour },
              }),
              h('a', { href: addressOf('/run', { run: run.id }) }, run.id),
            ),
            h('td', {}, statusMark(run.status)),
            h('td', {}, run.best === null ? unknown : String(run.best.epoch)),
            h('td', {}, percentOr(run.best?.clean)),
            h('td', {}, h('b', {}, percentOr(run.best?.robust))),
            h('td', {}, run.epochs === null ? String(run.epoch) : `${run.epoch} of ${run.epochs}`),
          ),
        ),
      ),
    ),
  );
}

function differencesOf({ runs, recipe, provenance }: Comparison): HTMLElement[] {
  const table = (label: string, rows: readonly Difference[]) =>
    scrolled(
      label,
      h(
        'table',
        { class: 'differences' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'Key'),
            ...runs.map(({ id }) => h('th', { scope: 'col', class: 'text' }, id)),
          ),
        ),
        h(
          'tbody',
          {},
          ...rows.map(({ key, values }) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, h('code', {}, key)),
              ...values.map((value) => h('td', { class: 'text' }, value ?? unknown)),
            ),
          ),
        ),
      ),
    );
  return [
    section(
      'differences',
      'In what the recipes differ',
      recipe.length === 0
        ? h('p', {}, 'In nothing: the recipes are equal.')
        : table('Differences of the recipes', recipe),
    ),
    section(
      'places',
      'Where they ran',
      provenance.length === 0
        ? h('p', {}, 'On the same machine, with the same versions.')
        : table('Differences of versions and machines', provenance),
    ),
  ];
}
