type Child = Node | string | false | null | undefined;

type Properties = Readonly<
  Record<
    string,
    string | number | boolean | undefined | ((event: Event) => void) | Readonly<Record<string, string>>
  >
>;

/**
 * An element. `on...` adds a listener, `style` sets properties (the policy of the page forbids style attributes), a
 * boolean sets or leaves out an attribute, anything else is an attribute. Text is never read as HTML.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2).toLowerCase(), value);
    else if (typeof value === 'object')
      for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...present(children));
  return element;
}

/** Puts children in place of those that an element has. */
export function fill(element: Element, ...children: readonly (Child | readonly Child[])[]): void {
  element.replaceChildren(...present(children));
}

function present(children: readonly (Child | readonly Child[])[]): (Node | string)[] {
  return children.flat().filter((child): child is Node | string => child !== false && child != null);
}

/** Text for screen readers alone. */
export function hidden(text: string): HTMLElement {
  return h('span', { class: 'hidden' }, text);
}
