import { count } from '../../src/report/page/format.js';
import type { DemoSummary, EvaluationSummary, RunStatus } from '../../src/serve/api.js';
import { addressOf } from './address.js';
import { h } from './dom.js';
import { ago, percentOr, statusMeaning, statusWords } from './words.js';

/** Parts that several views share. */

/** A status as a word with a mark whose shape differs too. */
export function statusMark(status: RunStatus): HTMLElement {
  return h('span', { class: `status ${status}`, title: statusMeaning[status] }, statusWords[status]);
}

/** A bar of a share of 0 to 1; what it says stands beside it in words. */
export function bar(parts: readonly { readonly share: number; readonly colour: string }[]): HTMLElement {
  return h(
    'span',
    { class: 'bar', 'aria-hidden': 'true' },
    ...parts.map(({ share, colour }) =>
      h('span', {
        style: { width: `${(Math.max(0, Math.min(1, share)) * 100).toFixed(2)}%`, background: colour },
      }),
    ),
  );
}

/** A number with its name. */
export function figure(name: string, value: string, below?: string): HTMLElement {
  return h('div', {}, h('dt', {}, name), h('dd', {}, value, below !== undefined && h('small', {}, below)));
}

/** A wide table scrolls by itself, by keyboard too. */
export function scrolled(label: string, table: HTMLElement): HTMLElement {
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, table);
}

export function section(
  id: string,
  title: string,
  ...children: readonly (Node | string | false | null)[]
): HTMLElement {
  return h('section', { 'aria-labelledby': id }, h('h2', { id }, title), ...children);
}

/** The run that an evaluation lies in or beside, else its own folder. */
function ownerOf({ id }: EvaluationSummary): string {
  return id.replace(/\/(evaluations\/[^/]*|evaluation)$/, '');
}

/** Evaluations as a list of links. */
export function evaluationList(evaluations: readonly EvaluationSummary[]): HTMLElement {
  return h(
    'ul',
    { class: 'cards plain' },
    ...evaluations.map((each) =>
      h(
        'li',
        { class: 'card link-card' },
        h(
          'a',
          { class: 'card-link', href: addressOf('/evaluation', { evaluation: each.id }) },
          ownerOf(each),
        ),
        h(
          'p',
          { class: 'aside' },
          `${each.attacks.join(', ')} on ${count(each.examples)} images of ${each.data}, ${each.threat}`,
        ),
        h(
          'p',
          { class: 'pair' },
          each.isFinished
            ? `clean ${percentOr(each.clean)} · robust ${percentOr(each.robust)}`
            : 'not finished',
        ),
        h('p', { class: 'aside' }, ago(each.started)),
      ),
    ),
  );
}

/** Demos, each with the page on which its networks are attacked. */
export function demoList(demos: readonly DemoSummary[]): HTMLElement {
  const addressOfDemo = (id: string) =>
    `/demo/${id === '.' ? '' : `${id.split('/').map(encodeURIComponent).join('/')}/`}`;
  return h(
    'ul',
    { class: 'cards plain' },
    ...demos.map(({ id, titles, data }) =>
      h(
        'li',
        { class: 'card link-card' },
        h('a', { class: 'card-link', href: addressOfDemo(id) }, `Attack ${titles.join(' and ')}`),
        h('p', { class: 'aside' }, `in this browser, on images of ${data}`),
        h('p', { class: 'aside' }, id),
      ),
    ),
  );
}

/** One of a few values, as buttons of which one is pressed. */
export function choice<T extends string>(options: {
  readonly label: string;
  readonly values: readonly T[];
  readonly chosen: T;
  readonly onChoose: (value: T) => void;
  readonly names?: Readonly<Partial<Record<T, string>>>;
}): HTMLElement {
  const { label, values, chosen, onChoose, names } = options;
  const buttons = values.map((value) =>
    h(
      'button',
      {
        type: 'button',
        'aria-pressed': value === chosen ? 'true' : 'false',
        onClick: () => {
          for (const [index, each] of buttons.entries())
            each.setAttribute('aria-pressed', values[index] === value ? 'true' : 'false');
          onChoose(value);
        },
      },
      names?.[value] ?? value,
    ),
  );
  return h(
    'div',
    { class: 'choice', role: 'group', 'aria-label': label },
    h('span', { class: 'choice-label' }, label),
    ...buttons,
  );
}
