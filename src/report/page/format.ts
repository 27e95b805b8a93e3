/** Number formats of the reports. Number and unit are separated by a narrow no-break space (U+202F). */
const space = '\u202f';
const noBreak = '\u00a0';

/** `0.7012` reads `70.1 %`. */
export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)}${space}%`;
}

/** As `percent` with a plain space, for Markdown and XML, which people search. */
export function plainPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** `[0.672, 0.729]` reads `67.2–72.9 %`. */
export function percentRange([low, high]: readonly [number, number]): string {
  return `${(low * 100).toFixed(1)}–${percent(high)}`;
}

/** `1000` reads `1,000`. */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** `130` reads `2 min 10 s`; below ten seconds with one decimal. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)}${space}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${space}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}${space}min${noBreak}${whole % 60}${space}s`;
  return `${Math.floor(minutes / 60)}${space}h${noBreak}${minutes % 60}${space}min`;
}

/** `= 0.008`, or `< 0.001` for smaller values. */
export function pValue(value: number): string {
  return value < 0.001 ? `<${noBreak}0.001` : `=${noBreak}${value.toFixed(3)}`;
}

/** `8/255` reads `ε = 8/255`, with no-break spaces. */
export function epsilon(text: string): string {
  return `ε${noBreak}=${noBreak}${text}`;
}

/** `['a', 'b', 'c']` reads `a, b and c`. */
export function list(words: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(words);
}

/** `2026-01-31T12:00:00.000Z` reads `2026-01-31 12:00 UTC`; invalid dates are returned unchanged. */
export function time(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Integers with thousands separators, other numbers with four significant digits. */
export function decimal(value: number): string {
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)));
}

/** A distance in the notation of ε: 0.0313 reads `7.98/255` for `8/255`, and `0.0313` for `0.03`. */
export function distance(value: number, { epsilonText }: { readonly epsilonText: string }): string {
  const under = /^[^/]+\/\s*([^/]+)$/.exec(epsilonText)?.[1];
  const short = (number: number) => String(Number(number.toPrecision(3)));
  return under === undefined ? short(value) : `${short(value * Number(under))}/${under.trim()}`;
}
