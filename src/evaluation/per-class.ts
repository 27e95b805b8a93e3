import type { ClassResult, ExampleResult } from './result.js';

/** Clean and robust accuracy of each class that has examples, in the order of the labels. */
export function perClass(perExample: readonly ExampleResult[], classes: readonly string[]): ClassResult[] {
  return classes.flatMap((name, label) => {
    const own = perExample.filter((example) => example.label === label);
    if (own.length === 0) return [];
    const clean = own.filter((example) => example.clean);
    const robust = clean.filter(({ brokenBy }) => brokenBy === null);
    return {
      label,
      class: name,
      examples: own.length,
      clean: clean.length / own.length,
      robust: robust.length / own.length,
    };
  });
}
