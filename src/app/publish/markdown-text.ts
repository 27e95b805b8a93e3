/** A text from outside as Markdown shows it, without meaning: a class named `[x](http://y)` is no link. */
export function markdownText(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_{}[\]()#+!|~<>$&]/g, (mark) => `\\${mark}`);
}
