const from = /^(?:import|export)\b[^'"`;]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\bimport\(\s*'([^']+)'/gm;

/** The relative paths that a source names in `import`, `export ... from` and `import()`. */
export function specifiersOf(text: string): string[] {
  return [...text.matchAll(from)]
    .map(([, named, effect, lazy]) => named ?? effect ?? lazy ?? '')
    .filter((target) => target.startsWith('.'));
}
