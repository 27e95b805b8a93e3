import 'uplot/dist/uPlot.min.css';
import './style.css';
import { fill, h } from './dom.js';
import { follow, followConnection, Refused, startFollowing } from './server.js';
import { nextTheme, setTheme, theme } from './theme.js';
import { compareView } from './views/compare.js';
import { evaluationView } from './views/evaluation.js';
import { listView } from './views/list.js';
import { runView } from './views/run.js';
import type { View } from './views/view.js';

const views: Readonly<Record<string, View>> = {
  '/': listView,
  '/run': runView,
  '/compare': compareView,
  '/evaluation': evaluationView,
};

const main = h('main', { id: 'main' });
const connection = h('span', { class: 'connection', role: 'status' });
const themeButton = h('button', { type: 'button', class: 'quiet', onClick: () => changeTheme() });

/** Pages beside the runs: a further one, such as a demonstration in the browser, is a line here. */
const places: readonly { readonly name: string; readonly address: string }[] = [
  { name: 'Runs', address: '/' },
];

document.body.append(
  h('a', { class: 'skip', href: '#main' }, 'Skip to the content'),
  h(
    'header',
    { class: 'top' },
    h(
      'a',
      { class: 'brand', href: '/' },
      h('img', { src: '/icon.svg', alt: '', width: 24, height: 24 }),
      'Satin',
    ),
    h(
      'nav',
      { 'aria-label': 'Pages' },
      ...places.map(({ name, address }) => h('a', { href: address }, name)),
    ),
    connection,
    themeButton,
  ),
  main,
);

function showTheme(): void {
  const name = { auto: 'auto', light: 'light', dark: 'dark' }[theme()];
  fill(themeButton, `Colours: ${name}`);
}

function changeTheme(): void {
  setTheme(nextTheme());
  showTheme();
}

let leave = new AbortController();

/** Shows the view of the present address. */
async function show({ isFirst = false } = {}): Promise<void> {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const view = views[location.pathname] ?? listView;
  for (const link of document.querySelectorAll('nav a'))
    if (link.getAttribute('href') === location.pathname) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  try {
    await view({ main, signal });
  } catch (error) {
    if (signal.aborted) return;
    showFailure(error, signal);
  }
  if (signal.aborted) return;
  const heading = main.querySelector('h1');
  document.title = heading === null ? 'Satin' : `${heading.textContent} · Satin`;
  if (isFirst || heading === null) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** Says what is wrong, and tries again when something changes. */
function showFailure(error: unknown, signal: AbortSignal): void {
  const message = error instanceof Refused || error instanceof Error ? error.message : String(error);
  fill(
    main,
    h('h1', {}, 'Nothing to show'),
    h('p', { class: 'notice', role: 'alert' }, message),
    h('p', {}, h('a', { href: '/' }, 'All runs')),
  );
  follow(() => {
    if (!signal.aborted) void show({ isFirst: true });
  }, signal);
}

document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const isPlain =
    !event.defaultPrevented && event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  if (link === null || !isPlain || link.target !== '' || link.origin !== location.origin) return;
  if (!(link.pathname in views) || link.hash !== '') return;
  event.preventDefault();
  history.pushState(null, '', link.href);
  void show();
});
window.addEventListener('popstate', () => void show());
window.addEventListener('satin:reload', () => void show({ isFirst: true }));

followConnection((isLive) => {
  fill(
    connection,
    h('span', { class: isLive ? 'dot on' : 'dot', 'aria-hidden': 'true' }),
    isLive ? 'Live' : 'Connecting',
  );
});
showTheme();
startFollowing();
void show({ isFirst: true });
