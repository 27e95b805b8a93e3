import { count, decimal, percent, time } from '../../../src/report/page/format.js';
import type { Curves, RunDetails, RunMessage, RunSummary } from '../../../src/serve/api.js';
import { choose, chosen } from '../address.js';
import { type Chart, type ChartData, chart } from '../chart.js';
import {
  accuracyChart,
  guardChart,
  lossChart,
  type RunCurves,
  stepChart,
  type XKind,
  xKinds,
} from '../curve-charts.js';
import { fill, h } from '../dom.js';
import { bar, choice, evaluationList, figure, section, statusMark } from '../parts.js';
import { ask, follow, Refused } from '../server.js';
import { countOr, durationOr, percentOr, runFacts, shareDone, short, stateWords } from '../words.js';
import type { View } from './view.js';

/** One run: how it goes, its curves, messages, recipe and provenance. */
export const runView: View = async ({ main, signal }) => {
  const id = chosen('run') ?? '';
  const [details, curves] = await Promise.all([
    ask<RunDetails>('run', { run: id }, signal),
    ask<Curves>('curves', { run: id, width: width(), ...range() }, signal),
  ]);
  let state = { details, curves };
  const x = (): XKind => xKinds.find((each) => each === chosen('x')) ?? 'epoch';

  const headline = h('div');
  const messages = h('div');
  const charts = h('div', { class: 'charts' });
  const reading = h('p', { class: 'aside', role: 'status' });
  const wide = h('button', { type: 'button', onClick: () => zoom(null) }, 'Show all steps');
  const facts = h('div');
  const title = h('h1', {}, id === '.' ? details.summary.name : id);

  const zoom = (span: readonly [number, number] | null) => {
    const toStep = (value: number) => {
      if (x() === 'epoch') return value * (state.curves.stepsPerEpoch ?? 1);
      if (x() === 'step') return value;
      const { seconds, step } = state.curves;
      const at = seconds.findIndex((each) => each >= value * 3600);
      return step[at < 0 ? step.length - 1 : at] ?? 0;
    };
    choose(
      span === null
        ? { from: null, to: null }
        : { from: Math.max(0, Math.floor(toStep(span[0]))), to: Math.ceil(toStep(span[1])) },
    );
    void refresh();
  };

  let drawn: { readonly kind: XKind; readonly all: ReadonlyMap<string, Chart> } | undefined;
  let drawing = new AbortController();
  signal.addEventListener('abort', () => drawing.abort());
  const draw = () => {
    const kind = x();
    const data = chartsOf(state, kind);
    const names = data.map(({ title: each }) => each);
    if (drawn?.kind !== kind || names.join() !== [...drawn.all.keys()].join()) {
      drawing.abort();
      drawing = new AbortController();
      const all = new Map(
        data.map(({ title: each, format }) => [
          each,
          chart({ title: each, xName: kind, format, formatX: short, onZoom: zoom, signal: drawing.signal }),
        ]),
      );
      drawn = { kind, all };
      fill(charts, ...[...all.values()].map(({ element }) => element));
    }
    for (const each of data) drawn.all.get(each.title)?.show(each.data);
    wide.hidden = chosen('from') === null && chosen('to') === null;
    const { read, stepsPerBucket } = state.curves;
    reading.textContent =
      read < 1
        ? `Reading the log: ${percent(read, 0)}. Until it is read these are samples of it.`
        : stepsPerBucket > 1
          ? `Each point stands for up to ${count(stepsPerBucket)} logged steps; the band reaches from the lowest to the highest of them.`
          : 'Every logged step is shown.';
  };

  const show = () => {
    const { summary } = state.details;
    fill(headline, headlineOf(summary, state.details));
    fill(messages, messagesOf(state.details));
    draw();
    fill(facts, ...factsOf(state.details));
  };

  let isAsking = false;
  let isWanted = false;
  /** Asks again; of what comes meanwhile only the last counts. */
  const refresh = async () => {
    if (isAsking) {
      isWanted = true;
      return;
    }
    isAsking = true;
    try {
      do {
        isWanted = false;
        const [details, curves] = await Promise.all([
          ask<RunDetails>('run', { run: id }, signal),
          ask<Curves>('curves', { run: id, width: width(), ...range() }, signal),
        ]);
        const isOpen = new Set([...facts.querySelectorAll('details[open]')].map((each) => each.id));
        state = { details, curves };
        show();
        for (const each of isOpen) facts.querySelector(`#${each}`)?.setAttribute('open', '');
        if (curves.read < 1) {
          await new Promise((resolve) => setTimeout(resolve, 300));
          isWanted = true;
        }
      } while (isWanted && !signal.aborted);
    } catch (error) {
      if (!signal.aborted)
        fill(
          messages,
          h(
            'p',
            { class: 'notice', role: 'alert' },
            error instanceof Refused ? error.message : String(error),
          ),
        );
    } finally {
      isAsking = false;
    }
  };

  fill(
    main,
    h('p', { class: 'eyebrow' }, h('a', { href: '/' }, 'Runs'), ` / ${runFacts(details.summary)}`),
    title,
    headline,
    messages,
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
        wide,
        reading,
      ),
      charts,
      h(
        'p',
        { class: 'aside' },
        'Drag to zoom, double-click for everything; by keyboard: Tab to a chart, arrows read, Escape shows everything.',
      ),
    ),
    facts,
  );
  show();
  if (curves.read < 1) void refresh();

  follow((change) => {
    const isOurs =
      change === 'again' ||
      change.runs.some((run) => run.id === id) ||
      change.gone.includes(id) ||
      change.evaluations.some((each) => each.id.startsWith(`${id}/`));
    if (isOurs) void refresh();
  }, signal);
};

function width(): number {
  return Math.max(200, Math.min(1200, Math.round(document.documentElement.clientWidth * 0.6)));
}

function range(): { readonly from: string | null; readonly to: string | null } {
  return { from: chosen('from'), to: chosen('to') };
}

function headlineOf(summary: RunSummary, { parameters, epochs }: RunDetails): HTMLElement {
  const { status, best, secondsLeft, imagesPerSecond, epoch, epochs: all } = summary;
  const trained = epochs.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  return h(
    'div',
    { class: 'headline' },
    h('p', { class: 'lead' }, statusMark(status), h('span', { class: 'aside' }, ` ${stateWords(summary)}`)),
    h(
      'dl',
      { class: 'figures card' },
      figure(
        'Robust, validation',
        percentOr(best?.robust),
        best === null ? undefined : `best, after epoch ${best.epoch}`,
      ),
      figure('Clean, validation', percentOr(best?.clean), best === null ? undefined : `at the same epoch`),
      figure(
        'Epochs',
        all === null ? String(epoch) : `${epoch} of ${all}`,
        parameters === null ? undefined : `${count(parameters)} parameters`,
      ),
      status === 'training'
        ? figure('Time left', durationOr(secondsLeft), `${countOr(imagesPerSecond)} images/s`)
        : figure(
            'Trained for',
            durationOr(trained),
            summary.started === null ? undefined : `since ${time(summary.started)}`,
          ),
    ),
    bar([{ share: shareDone(summary), colour: 'var(--series1)' }]),
  );
}

/** Guards, failures and resumptions; the warnings in view, the rest below them. */
function messagesOf({ messages, brokenLines }: RunDetails): HTMLElement {
  const urgent = messages.filter(({ type }) => type === 'warning' || type === 'failed');
  const item = ({ type, step, text, time: at }: RunMessage) =>
    h(
      'li',
      { class: type },
      h('span', { class: 'aside' }, step > 0 ? `step ${count(step)}, ${time(at)}` : time(at)),
      ' ',
      text,
    );
  return h(
    'div',
    {},
    urgent.length > 0 &&
      h(
        'section',
        { class: 'notice', 'aria-label': 'Messages of the guards' },
        h('h2', { class: 'small' }, 'Messages'),
        h('ul', { class: 'messages' }, ...urgent.slice(-5).reverse().map(item)),
        urgent.length > 5 &&
          h(
            'details',
            {},
            h('summary', {}, `${urgent.length - 5} earlier`),
            h('ul', { class: 'messages' }, ...urgent.slice(0, -5).reverse().map(item)),
          ),
      ),
    brokenLines > 0 &&
      h(
        'p',
        { class: 'notice' },
        `${count(brokenLines)} ${brokenLines === 1 ? 'line' : 'lines'} of the log cannot be read and were passed over.`,
      ),
  );
}

interface Titled {
  readonly title: string;
  readonly data: ChartData;
  readonly format: (value: number | null | undefined) => string;
}

function chartsOf(
  { details, curves }: { readonly details: RunDetails; readonly curves: Curves },
  x: XKind,
): Titled[] {
  const epochs = details.epochs.filter(
    ({ step }) =>
      step >= Number(chosen('from') ?? 0) && step <= Number(chosen('to') ?? Number.POSITIVE_INFINITY),
  );
  const run: RunCurves = { name: details.summary.id, colour: 'var(--series1)', curves, epochs };
  const shown = (title: string, data: ChartData, format: Titled['format'] = short): Titled => ({
    title,
    data,
    format,
  });
  const share: Titled['format'] = (value) => (value == null ? '–' : percent(value));
  const guard = guardChart(run, x);
  return [
    shown('Loss', lossChart(run, x)),
    shown('Accuracy', accuracyChart(run, x), share),
    shown('Learning rate', stepChart([run], { quantity: 'learningRate', x, names: 'learning rate' })),
    ...(curves.epsilon.length > 0
      ? [shown('ε of the training attack', stepChart([run], { quantity: 'epsilon', x, names: 'ε' }))]
      : []),
    shown(
      'Images per second',
      stepChart([run], { quantity: 'imagesPerSecond', x, names: 'images/s' }),
      countOr,
    ),
    ...(guard === undefined ? [] : [shown('Guard: accuracy on its training images', guard, share)]),
  ];
}

function factsOf({ evaluations, messages, epochs, recipe, provenance }: RunDetails): (HTMLElement | false)[] {
  const names = [...new Set(epochs.flatMap(({ measurements }) => Object.keys(measurements)))];
  return [
    evaluations.length > 0 && section('evaluations', 'Evaluations', evaluationList(evaluations)),
    section(
      'facts',
      'Recipe and provenance',
      h(
        'details',
        { id: 'recipe' },
        h('summary', {}, 'Recipe'),
        h('pre', { tabindex: 0, 'aria-label': 'Recipe as YAML' }, h('code', {}, recipe)),
      ),
      h(
        'details',
        { id: 'provenance' },
        h('summary', {}, 'Provenance: command, versions, machine, seeds'),
        h(
          'dl',
          { class: 'facts' },
          ...provenance.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
        ),
      ),
      h(
        'details',
        { id: 'epochs' },
        h(
          'summary',
          {},
          `Measurements of ${count(epochs.length)} ${epochs.length === 1 ? 'epoch' : 'epochs'}`,
        ),
        h(
          'div',
          { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Measurements by epoch' },
          h(
            'table',
            {},
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                h('th', { scope: 'col' }, 'Epoch'),
                ...names.map((name) => h('th', { scope: 'col' }, name)),
              ),
            ),
            h(
              'tbody',
              {},
              ...epochs.slice(-200).map(({ epoch, measurements }) =>
                h(
                  'tr',
                  {},
                  h('th', { scope: 'row' }, String(epoch)),
                  ...names.map((name) => {
                    const value = measurements[name];
                    return h(
                      'td',
                      {},
                      value == null ? '–' : name.includes('loss') ? decimal(value) : percent(value),
                    );
                  }),
                ),
              ),
            ),
          ),
        ),
      ),
      h(
        'details',
        { id: 'log' },
        h('summary', {}, 'Starts, resumptions and ends'),
        h(
          'ul',
          { class: 'messages' },
          ...messages.map(({ time: at, step, text }) =>
            h('li', {}, h('span', { class: 'aside' }, `${time(at)}, step ${count(step)}`), ' ', text),
          ),
        ),
      ),
    ),
  ];
}
