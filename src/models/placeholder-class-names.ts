/** Class names if only their number is known: `class 0`, `class 1` and so on. */
export function placeholderClassNames(count: number): string[] {
  return Array.from({ length: count }, (_, label) => nameOf(label));
}

/** Whether the names are placeholders, so that they carry no information about the classes. */
export function arePlaceholders(classes: readonly string[]): boolean {
  return classes.every((name, label) => name === nameOf(label));
}

const nameOf = (label: number) => `class ${label}`;
