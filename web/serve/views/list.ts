import { count } from '../../../src/report/page/format.js';
import type {
  DemoSummary,
  EvaluationSummary,
  Listing,
  RunStatus,
  RunSummary,
} from '../../../src/serve/api.js';
import { addressOf, choose, chosen, go } from '../address.js';
import { fill, h, hidden } from '../dom.js';
import { bar, choice, demoList, evaluationList, section, statusMark } from '../parts.js';
import { ask, follow } from '../server.js';
import { ago, countOr, durationOr, epochWords, percentOr, runFacts, shareDone, unknown } from '../words.js';
import type { View } from './view.js';

const sorts = ['latest', 'robust', 'clean', 'name'] as const;
type Sort = (typeof sorts)[number];

const states = ['all', 'training', 'finished', 'interrupted', 'failed', 'stale'] as const;

/** All runs and evaluations of the folder. */
export const listView: View = async ({ main, signal }) => {
  const listing = await ask<Listing>('runs', {}, signal);
  const runs = new Map(listing.runs.map((run) => [run.id, run]));
  const evaluations = new Map(listing.evaluations.map((each) => [each.id, each]));
  const demos = new Map(listing.demos.map((each) => [each.id, each]));
  const selected = new Set<string>();
  const rows = new Map<string, Row>();

  const lead = h('p', { class: 'subtitle', role: 'status' });
  // Roles are said since a narrow screen lays the table out as a list.
  const body = h('tbody', { role: 'rowgroup' });
  const none = h('p', { class: 'notice', hidden: true });
  const evaluated = h('div');
  const attacked = h('div');
  const compareBar = h('div', { class: 'compare-bar', hidden: true });
  const find = h('input', {
    type: 'search',
    id: 'find',
    placeholder: 'name, activation, data …',
    value: chosen('find') ?? '',
    onInput: () => {
      choose({ find: find.value });
      arrange();
    },
  });
  const sorted = (): Sort => sorts.find((each) => each === chosen('sort')) ?? 'latest';
  const state = () => states.find((each) => each === chosen('state')) ?? 'all';

  const showSelection = () => {
    compareBar.hidden = selected.size === 0;
    const many = selected.size > 12;
    fill(
      compareBar,
      h(
        'span',
        {},
        selected.size === 1 ? 'One run chosen; choose another to compare.' : `${selected.size} runs chosen.`,
      ),
      many && h('span', {}, 'The first 12 are compared.'),
      selected.size > 1 &&
        h(
          'a',
          { class: 'button', href: addressOf('/compare', { run: [...selected].slice(0, 12) }) },
          'Compare',
        ),
      h('button', { type: 'button', class: 'quiet', onClick: clear }, 'Clear'),
    );
  };
  const clear = () => {
    selected.clear();
    for (const row of rows.values()) row.box.checked = false;
    showSelection();
  };
  const toggle = (id: string, isOn: boolean) => {
    if (isOn) selected.add(id);
    else selected.delete(id);
    showSelection();
  };

  /** Puts the rows that are asked for into the table, in order. */
  const arrange = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = state();
    const shown = [...runs.values()]
      .filter(({ status }) => wanted === 'all' || status === wanted)
      .filter((run) =>
        words.every((word) => `${run.id} ${run.name} ${runFacts(run)}`.toLowerCase().includes(word)),
      )
      .sort(order[sorted()]);
    for (const run of shown) if (!rows.has(run.id)) rows.set(run.id, rowOf(run, toggle));
    const elements = shown.map(({ id }) => rows.get(id)!.element);
    const isSame =
      elements.length === body.children.length && elements.every((each, at) => body.children[at] === each);
    if (!isSame) body.replaceChildren(...elements);
    none.hidden = shown.length > 0;
    none.textContent =
      runs.size === 0
        ? `There are no runs in ${listing.folder} yet. A training that writes there appears here by itself.`
        : 'No run matches.';
    const active = [...runs.values()].filter(({ status }) => status === 'training').length;
    lead.textContent =
      `${count(runs.size)} ${runs.size === 1 ? 'run' : 'runs'}${active > 0 ? `, ${active} training` : ''}` +
      `${shown.length < runs.size ? `; ${count(shown.length)} shown` : ''}${listing.isCut ? '. The folder holds more than is shown' : ''}.`;
  };
  const showEvaluations = () => {
    const all = [...evaluations.values()].sort((a, b) => (a.started < b.started ? 1 : -1));
    fill(
      evaluated,
      all.length > 0 &&
        section(
          'evaluations',
          'Evaluations',
          evaluationList(all.slice(0, 60)),
          all.length > 60 &&
            h(
              'p',
              { class: 'aside' },
              `The latest 60 of ${count(all.length)}; those of a run are on its page.`,
            ),
        ),
    );
  };
  const showDemos = () => {
    const all = [...demos.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    fill(attacked, all.length > 0 && section('demos', 'Live attacks', demoList(all)));
  };

  fill(
    main,
    h('p', { class: 'eyebrow path' }, listing.folder),
    h('h1', {}, 'Runs'),
    lead,
    h(
      'div',
      { class: 'tools' },
      h('label', { class: 'find', for: 'find' }, hidden('Find runs by name, activation or data'), find),
      choice({
        label: 'State',
        values: states,
        chosen: state(),
        onChoose: (value) => {
          choose({ state: value === 'all' ? null : value });
          arrange();
        },
      }),
      choice({
        label: 'Sort by',
        values: sorts,
        chosen: sorted(),
        onChoose: (value) => {
          choose({ sort: value === 'latest' ? null : value });
          arrange();
        },
      }),
    ),
    h(
      'table',
      { class: 'runs', role: 'table' },
      h('caption', { class: 'hidden' }, 'Runs, with their state and their accuracies at the best epoch'),
      h(
        'thead',
        { role: 'rowgroup' },
        h(
          'tr',
          { role: 'row' },
          h('th', { scope: 'col', role: 'columnheader' }, hidden('Choose')),
          ...['Run', 'State', 'Epochs', 'Clean', 'Robust', 'Images/s', 'Time left'].map((name) =>
            h('th', { scope: 'col', role: 'columnheader' }, name),
          ),
        ),
      ),
      body,
    ),
    none,
    attacked,
    evaluated,
    compareBar,
  );
  arrange();
  showEvaluations();
  showDemos();

  const update = (run: RunSummary) => {
    runs.set(run.id, run);
    rows.get(run.id)?.show(run);
  };
  follow((change) => {
    if (change === 'again') {
      void ask<Listing>('runs', {}, signal).then(
        (now) => {
          const ids = new Set([...now.runs, ...now.evaluations, ...now.demos].map(({ id }) => id));
          const known = [...runs.keys(), ...evaluations.keys(), ...demos.keys()];
          apply({ ...now, gone: known.filter((id) => !ids.has(id)) });
        },
        () => undefined,
      );
      return;
    }
    apply(change);
  }, signal);
  const apply = (change: {
    runs: readonly RunSummary[];
    evaluations: readonly EvaluationSummary[];
    demos: readonly DemoSummary[];
    gone: readonly string[];
  }) => {
    for (const run of change.runs) update(run);
    for (const each of change.evaluations) evaluations.set(each.id, each);
    for (const each of change.demos) demos.set(each.id, each);
    for (const id of change.gone) {
      runs.delete(id);
      rows.delete(id);
      evaluations.delete(id);
      demos.delete(id);
      if (selected.delete(id)) showSelection();
    }
    arrange();
    if (change.evaluations.length + change.gone.length > 0) showEvaluations();
    if (change.demos.length + change.gone.length > 0) showDemos();
  };

  document.addEventListener(
    'keydown',
    (event) => {
      const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'search';
      if (event.key === '/' && !isTyping) {
        event.preventDefault();
        find.focus();
      }
      if (event.key === 'c' && !isTyping && selected.size > 1)
        go(addressOf('/compare', { run: [...selected].slice(0, 12) }));
    },
    { signal },
  );
};

const byNumber = (read: (run: RunSummary) => number) => (a: RunSummary, b: RunSummary) =>
  read(b) - read(a) || byName(a, b);
const byName = (a: RunSummary, b: RunSummary) => (a.id < b.id ? -1 : 1);
const rank: Readonly<Record<RunStatus, number>> = {
  training: 1,
  finished: 0,
  interrupted: 0,
  failed: 0,
  stale: 0,
};
const order: Readonly<Record<Sort, (a: RunSummary, b: RunSummary) => number>> = {
  latest: (a, b) => rank[b.status] - rank[a.status] || ((a.started ?? '') < (b.started ?? '') ? 1 : -1),
  robust: byNumber(({ best }) => best?.robust ?? -1),
  clean: byNumber(({ best }) => best?.clean ?? -1),
  name: byName,
};

interface Row {
  readonly element: HTMLTableRowElement;
  readonly box: HTMLInputElement;
  show(run: RunSummary): void;
}

function rowOf(first: RunSummary, toggle: (id: string, isOn: boolean) => void): Row {
  const { id } = first;
  const box = h('input', {
    type: 'checkbox',
    'aria-label': `Choose ${id}`,
    onChange: () => toggle(id, box.checked),
  });
  const cells = Array.from({ length: 6 }, () => h('td', { role: 'cell' }));
  const names = ['State', 'Epochs', 'Clean', 'Robust', 'Images/s', 'Time left'];
  const facts = h('span', { class: 'aside' });
  const name = h('a', { href: addressOf('/run', { run: id }) }, id === '.' ? first.name : id);
  const element = h(
    'tr',
    { role: 'row' },
    h('td', { class: 'box', role: 'cell' }, box),
    h('th', { scope: 'row', role: 'rowheader' }, name, facts),
    ...cells,
  );
  for (const [at, cell] of cells.entries()) cell.setAttribute('data-name', names[at]!);
  const show = (run: RunSummary) => {
    const isTraining = run.status === 'training';
    facts.textContent = runFacts(run);
    const contents: readonly (readonly (Node | string | false)[])[] = [
      [
        statusMark(run.status),
        !isTraining && h('span', { class: 'aside since' }, ago(run.updated)),
        run.warnings > 0 &&
          h(
            'span',
            { class: 'warned', title: 'Messages of the guards and others' },
            `${count(run.warnings)} ${run.warnings === 1 ? 'warning' : 'warnings'}`,
          ),
      ],
      [
        h('span', {}, `${run.epoch}${run.epochs === null ? '' : `/${run.epochs}`}`),
        bar([{ share: shareDone(run), colour: isTraining ? 'var(--series1)' : 'var(--tint)' }]),
        hidden(epochWords(run)),
      ],
      [percentOr(run.best?.clean)],
      [
        h('b', {}, percentOr(run.best?.robust)),
        bar([{ share: run.best?.robust ?? 0, colour: 'var(--series0)' }]),
      ],
      [isTraining ? countOr(run.imagesPerSecond) : unknown],
      [isTraining ? durationOr(run.secondsLeft) : unknown],
    ];
    for (const [at, content] of contents.entries()) fill(cells[at]!, ...content);
    element.classList.toggle('is-training', isTraining);
  };
  show(first);
  return { element, box, show };
}
