/** The address of the page holds all that is chosen on it, so that it can be shared. */

/** The address of a view. */
export function addressOf(
  path: '/' | '/run' | '/compare' | '/evaluation',
  query: Readonly<Record<string, string | number | readonly string[] | null | undefined>> = {},
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') continue;
    if (typeof value === 'string' || typeof value === 'number') search.set(name, String(value));
    else for (const each of value) search.append(name, each);
  }
  // Slashes stay as they are: they are allowed in a query and read better.
  const text = search.toString().replaceAll('%2F', '/');
  return text === '' ? path : `${path}?${text}`;
}

/** A value of the address. */
export function chosen(name: string): string | null {
  return new URLSearchParams(location.search).get(name);
}

/** Changes values of the address in place; null removes one. */
export function choose(values: Readonly<Record<string, string | number | null>>): void {
  const search = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === '') search.delete(name);
    else search.set(name, String(value));
  }
  const text = search.toString().replaceAll('%2F', '/');
  history.replaceState(history.state, '', text === '' ? location.pathname : `${location.pathname}?${text}`);
}

/** Goes to another address of the page. */
export function go(address: string): void {
  history.pushState(null, '', address);
  window.dispatchEvent(new PopStateEvent('popstate'));
}
