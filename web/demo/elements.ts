/** The element with an id. @throws if the page has none, which is a bug of it. */
export function element<Each extends Element>(id: string, type: new () => Each): Each {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${type.name} '${id}'.`);
}

/** A new element with a text or children. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  options: { readonly class?: string; readonly text?: string; readonly children?: readonly Node[] } = {},
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (options.class !== undefined) made.className = options.class;
  if (options.text !== undefined) made.textContent = options.text;
  made.append(...(options.children ?? []));
  return made;
}

/** `0.973` reads `97 %`. */
export const percent = (share: number) => `${Math.round(100 * share)}\u202f%`;
