/** Names for classes of which only the number is known: `class 0`, `class 1` and so on. */
export function placeholderClassNames(count: number): string[] {
  return Array.from({ length: count }, (_, label) => nameOf(label));
}

/** Whether these are such names, so that they say nothing about the classes. */
export function arePlaceholders(classes: readonly string[]): boolean {
  return classes.every((name, label) => name === nameOf(label));
}

const nameOf = (label: number) => `class ${label}`;
