import { colours } from '../../src/report/page/palette.js';

/** The colours of the reports as CSS variables: as the system wants them, or as chosen on the page. */
export type Theme = 'auto' | 'light' | 'dark';

const themes: readonly Theme[] = ['auto', 'light', 'dark'];
const key = 'satin-theme';

function variables(scheme: 'light' | 'dark'): string {
  return Object.entries(colours)
    .map(([name, value]) => `--${name}:${value[scheme]};`)
    .join('');
}

const sheet = new CSSStyleSheet();
sheet.replaceSync(
  `:root{color-scheme:light dark;${variables('light')}}` +
    `@media (prefers-color-scheme:dark){:root{${variables('dark')}}}` +
    `:root[data-theme=light]{color-scheme:light;${variables('light')}}` +
    `:root[data-theme=dark]{color-scheme:dark;${variables('dark')}}`,
);
document.adoptedStyleSheets = [sheet];

const listeners = new Set<() => void>();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const listener of listeners) listener();
});

export function theme(): Theme {
  const stored = localStorage.getItem(key);
  return themes.find((each) => each === stored) ?? 'auto';
}

export function setTheme(to: Theme): void {
  if (to === 'auto') {
    localStorage.removeItem(key);
    document.documentElement.removeAttribute('data-theme');
  } else {
    localStorage.setItem(key, to);
    document.documentElement.dataset.theme = to;
  }
  for (const listener of listeners) listener();
}

export function nextTheme(): Theme {
  return themes[(themes.indexOf(theme()) + 1) % themes.length]!;
}

/** Calls back when the colours change. */
export function onTheme(listener: () => void, signal: AbortSignal): void {
  listeners.add(listener);
  signal.addEventListener('abort', () => listeners.delete(listener));
}

/** The present value of a colour; `variable` is `var(--name)`. */
export function colourOf(variable: string): string {
  const name = /^var\((--[\w-]+)\)$/.exec(variable)?.[1];
  return name === undefined
    ? variable
    : getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

setTheme(theme());
