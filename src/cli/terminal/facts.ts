import { printable } from '../../errors.js';
import { proseWidth } from './line-width.js';
import { wrapped } from './wrapped.js';

/** A name and what is known about it. */
export type Fact = readonly [name: string, value: string];

/** One fact a line, names in a column of their own; a long value goes on below its beginning. */
export function facts(all: readonly Fact[], width = proseWidth()): string[] {
  const indent = Math.max(...all.map(([name]) => name.length)) + 2;
  return all.flatMap(([name, value]) => {
    const [first = '', ...more] = wrapped(printable(value), { indent, width });
    return [`${printable(name).padEnd(indent)}${first.slice(indent)}`.trimEnd(), ...more];
  });
}
