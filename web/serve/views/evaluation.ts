import { weightsInWords } from '../../../src/evaluation/weights-in-words.js';
import { count, duration, percent, percentRange, time } from '../../../src/report/page/format.js';
import type { EvaluationDetails } from '../../../src/serve/api.js';
import { addressOf, chosen } from '../address.js';
import { chart } from '../chart.js';
import { confusionSection } from '../confusion.js';
import { fill, h } from '../dom.js';
import { galleryOf } from '../gallery.js';
import { bar, figure, scrolled, section } from '../parts.js';
import { ask, follow } from '../server.js';
import { short, unknown } from '../words.js';
import type { View } from './view.js';

const brokenColours = ['series0', 'series3', 'series4', 'series5', 'series2'] as const;

/** One stored evaluation: attacks in sequence, accuracy against ε, classes, and the adversarial examples. */
export const evaluationView: View = async ({ main, signal }) => {
  const id = chosen('evaluation') ?? '';
  let details = await ask<EvaluationDetails>('evaluation', { evaluation: id }, signal);
  const results = h('div');
  const gallery = galleryOf({ id, details, signal });
  const show = () => {
    fill(
      results,
      headlineOf(details),
      ...flagsOf(details),
      attacksOf(details),
      h('div', { class: 'two' }, outcomesOf(details), curveOf(details, signal)),
      classesOf(details),
      confusionSection(details),
    );
  };
  fill(
    main,
    h('p', { class: 'eyebrow' }, h('a', { href: '/' }, 'Runs'), ' / Evaluation'),
    h('h1', {}, `Robustness of ${nameOf(details)}`),
    h(
      'p',
      { class: 'subtitle' },
      `${count(details.summary.examples)} images of ${details.summary.data}, ${details.summary.threat}`,
    ),
    results,
    gallery.element,
    provenanceOf(details),
  );
  show();
  follow((change) => {
    const isOurs = change === 'again' || change.evaluations.some((each) => each.id === id);
    if (!isOurs && details.result !== null) return;
    void ask<EvaluationDetails>('evaluation', { evaluation: id }, signal).then(
      (now) => {
        if (JSON.stringify(now) === JSON.stringify(details)) return;
        details = now;
        show();
        gallery.update(now);
      },
      () => undefined,
    );
  }, signal);
};

/** The name of the model's folder. */
function nameOf({ summary }: EvaluationDetails): string {
  return summary.model.split('/').filter(Boolean).at(-1) ?? summary.model;
}

function headlineOf({ result, cleanInterval, progress, summary }: EvaluationDetails): HTMLElement {
  const { right, wrong } = progress;
  if (result === null) {
    const broken = progress.attacks.reduce((sum, each) => sum + each.broken, 0);
    const standing = (right - broken) / summary.examples;
    return h(
      'div',
      { class: 'headline' },
      h('p', { class: 'notice' }, 'This evaluation is not finished: the numbers are those so far.'),
      h(
        'dl',
        { class: 'figures card' },
        figure(
          'Clean images',
          percent(right / Math.max(1, right + wrong)),
          `of ${count(right + wrong)} so far`,
        ),
        figure('Not broken so far', percent(standing), 'an upper bound'),
      ),
    );
  }
  return h(
    'div',
    { class: 'headline' },
    h(
      'dl',
      { class: 'figures card' },
      figure(
        'Clean images',
        percent(result.clean),
        cleanInterval === null ? undefined : percentRange(cleanInterval),
      ),
      figure('Under attack', percent(result.robust), percentRange(result.interval)),
      figure('Attacks took', duration(result.seconds), `mode ${result.mode}`),
    ),
    h(
      'p',
      { class: 'aside' },
      'The range below an accuracy is its 95 % confidence interval, given the number of images.',
    ),
  );
}

function flagsOf({ result, warnings }: EvaluationDetails): HTMLElement[] {
  const flags = result?.flags ?? [];
  const all = [
    ...flags.map(({ code, message }) => [code, message] as const),
    ...warnings.map((text) => ['images', text] as const),
  ];
  if (all.length === 0)
    return result === null ? [] : [h('p', { class: 'aside' }, 'No check of the attacks raised a flag.')];
  return [
    h(
      'section',
      { class: 'notice', 'aria-label': 'Flags of the checks' },
      h('h2', { class: 'small' }, 'Read this before relying on these numbers'),
      h('ul', {}, ...all.map(([code, message]) => h('li', {}, h('strong', {}, code), ' ', message))),
    ),
  ];
}

function attacksOf({ attacks, result, progress }: EvaluationDetails): HTMLElement {
  if (result === null)
    return section(
      'attacks',
      'The attacks so far',
      scrolled(
        'Attacks so far',
        h(
          'table',
          {},
          h(
            'thead',
            {},
            h('tr', {}, ...['Attack', 'Broken', 'Withstood'].map((name) => h('th', { scope: 'col' }, name))),
          ),
          h(
            'tbody',
            {},
            ...progress.attacks.map(({ name, broken, stood }) =>
              h(
                'tr',
                {},
                h('th', { scope: 'row' }, name),
                h('td', {}, count(broken)),
                h('td', {}, count(stood)),
              ),
            ),
          ),
        ),
      ),
    );
  const hasAlone = attacks.some(({ alone }) => alone !== undefined);
  const row = (name: string, share: number, before: number, cells: readonly string[]) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, name),
      h('td', {}, h('b', {}, percent(share))),
      h(
        'td',
        { class: 'wide' },
        bar([
          { share, colour: 'var(--series1)' },
          { share: before - share, colour: 'var(--series0)' },
        ]),
      ),
      ...cells.map((text) => h('td', {}, text)),
    );
  return section(
    'attacks',
    'What each attack broke',
    h(
      'p',
      {},
      'The attacks run in sequence, each on the images that the previous ones did not break. The second part of a bar is what the attack broke.',
    ),
    scrolled(
      'Attacks in sequence',
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ...[
              'Attack',
              'Accuracy after it',
              '',
              'Attacked',
              'Broken',
              ...(hasAlone ? ['Broken alone'] : []),
              'Time',
            ].map((name) => (name === '' ? h('td') : h('th', { scope: 'col' }, name))),
          ),
        ),
        h(
          'tbody',
          {},
          row('none', result.clean, result.clean, ['', '', ...(hasAlone ? [''] : []), '']),
          ...attacks.map((attack, at) =>
            row(attack.name, attack.robustAfter, attacks[at - 1]?.robustAfter ?? result.clean, [
              count(attack.attacked),
              count(attack.broken),
              ...(hasAlone ? [attack.alone === undefined ? unknown : count(attack.alone.broken)] : []),
              duration(attack.seconds),
            ]),
          ),
        ),
      ),
    ),
  );
}

function outcomesOf({ outcomes }: EvaluationDetails): HTMLElement | null {
  if (outcomes.length === 0) return null;
  const total = outcomes.reduce((sum, each) => sum + each.count, 0);
  let broken = 0;
  const coloured = outcomes.map(({ name, count: images }) => ({
    name,
    images,
    colour: name.startsWith('withstands')
      ? 'var(--series1)'
      : name.startsWith('misclassified')
        ? 'var(--muted)'
        : `var(--${brokenColours[broken++ % brokenColours.length]!})`,
  }));
  return section(
    'outcomes',
    'Outcome of each image',
    bar(coloured.map(({ images, colour }) => ({ share: images / total, colour }))),
    h(
      'dl',
      { class: 'legend' },
      ...coloured.map(({ name, images, colour }) =>
        h(
          'div',
          {},
          h(
            'dt',
            {},
            h('span', { class: 'swatch', 'aria-hidden': 'true', style: { background: colour } }),
            name,
          ),
          h('dd', {}, `${count(images)} `, h('small', {}, percent(images / total))),
        ),
      ),
    ),
  );
}

function curveOf({ curve, result }: EvaluationDetails, signal: AbortSignal): HTMLElement | null {
  if (result === null) return null;
  if (curve.length < 2)
    return section(
      'epsilon',
      'Accuracy against ε',
      h(
        'p',
        {},
        'Only this ε is stored. Evaluations of the same weights, images and attacks at other ε, kept in this folder, draw the curve here.',
      ),
    );
  const drawn = chart({
    title: 'Accuracy against ε',
    xName: 'ε',
    format: (value) => (value == null ? unknown : percent(value)),
    formatX: short,
    signal,
  });
  const points = [
    { epsilon: 0, robust: result.clean, interval: [result.clean, result.clean] as const },
    ...curve,
  ];
  drawn.show({
    x: points.map(({ epsilon }) => epsilon),
    lines: [
      {
        name: 'accuracy',
        colour: 'var(--series1)',
        values: points.map(({ robust }) => robust),
        band: {
          low: points.map(({ interval }) => interval[0]),
          high: points.map(({ interval }) => interval[1]),
        },
        isSparse: true,
      },
    ],
  });
  return section(
    'epsilon',
    'Accuracy against ε',
    drawn.element,
    h(
      'p',
      { class: 'aside' },
      'The same attacks at each ε: ',
      ...curve.flatMap(({ id, epsilonText }, at) => [
        at > 0 ? ', ' : '',
        h('a', { href: addressOf('/evaluation', { evaluation: id }) }, epsilonText),
      ]),
    ),
  );
}

function classesOf({ perClass }: EvaluationDetails): HTMLElement | null {
  if (perClass.length === 0) return null;
  const worstFirst = [...perClass].sort(
    (a, b) => a.robust - b.robust || a.clean - b.clean || a.label - b.label,
  );
  const table = (label: string, rows: typeof worstFirst) =>
    scrolled(
      label,
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'Class'),
            h('td'),
            ...['Robust', 'Clean', 'Images'].map((name) => h('th', { scope: 'col' }, name)),
          ),
        ),
        h(
          'tbody',
          {},
          ...rows.map((each) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, each.class),
              h(
                'td',
                { class: 'wide' },
                bar([
                  { share: each.robust, colour: 'var(--series1)' },
                  { share: each.clean - each.robust, colour: 'var(--tint)' },
                ]),
              ),
              h('td', {}, h('b', {}, percent(each.robust))),
              h('td', {}, percent(each.clean)),
              h('td', {}, count(each.examples)),
            ),
          ),
        ),
      ),
    );
  const shown = 20;
  return section(
    'classes',
    'Accuracy per class',
    h(
      'p',
      {},
      'The least robust class first. The solid part of a bar is robust accuracy; the faint part is right only without attack.',
    ),
    table('Accuracy per class', worstFirst.slice(0, shown)),
    worstFirst.length > shown &&
      h(
        'details',
        {},
        h('summary', {}, `All ${count(worstFirst.length)} classes`),
        table('Accuracy of every class', worstFirst),
      ),
  );
}

function provenanceOf({ command, result, summary }: EvaluationDetails): HTMLElement {
  const facts: readonly (readonly [string, string])[] = [
    ['Model', summary.model],
    ['Started', time(summary.started)],
    ...(result === null
      ? []
      : ([
          ...(result.weights === null ? [] : [['Weights', weightsInWords(result.weights)] as const]),
          ['Model digest', result.modelDigest],
          ['Pixel digest', result.pixelsDigest],
          ['Seed', String(result.seed)],
          ['Satin', `${result.satin}, commit ${result.engine.commit ?? 'unknown'}`],
          ['libtorch', `${result.engine.libtorch}, ${result.engine.capability}`],
          [
            'Device',
            result.engine.card === null
              ? result.engine.device
              : `${result.engine.device}, ${result.engine.card}`,
          ],
        ] as const)),
  ];
  return section(
    'provenance',
    'Reproducing this evaluation',
    h('pre', { class: 'command', tabindex: 0, 'aria-label': 'Command' }, h('code', {}, command)),
    h(
      'dl',
      { class: 'facts' },
      ...facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    ),
  );
}
