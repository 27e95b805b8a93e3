/** A word that may be next on a command line. */
export interface Suggestion {
  readonly value: string;
  /** What it is, in a few words. */
  readonly about?: string;
}

/** The suggestions of these values. */
export function suggestionsOf(values: readonly string[]): Suggestion[] {
  return values.map((value) => ({ value }));
}
