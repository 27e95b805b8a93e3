import { z } from 'zod';
import { InputError } from '../../errors.js';
import type { LedgerEntry } from '../ledger.js';

/**
 * A line of `verdicts.jsonl`: an entry of the ledger with an example's id in place of its place, and in place of an
 * image its number in the file of images.
 */
const lineSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('clean'), id: z.int(), right: z.boolean() }),
  z.strictObject({ type: z.literal('stood'), attack: z.string(), id: z.int() }),
  z.strictObject({ type: z.literal('broken'), attack: z.string(), id: z.int(), image: z.int() }),
  z.strictObject({
    type: z.literal('cost'),
    stage: z.string(),
    part: z.enum(['sequence', 'alone']),
    forwards: z.number(),
    backwards: z.number(),
    seconds: z.number(),
  }),
]);

export type EvaluationLine = z.output<typeof lineSchema>;

/** `image` is the number that the next image gets. */
export function toLine(entry: LedgerEntry, ids: ArrayLike<number>, image: number): EvaluationLine {
  switch (entry.type) {
    case 'clean':
      return { type: 'clean', id: ids[entry.place]!, right: entry.right };
    case 'stood':
      return { type: 'stood', attack: entry.attack, id: ids[entry.place]! };
    case 'broken':
      return { type: 'broken', attack: entry.attack, id: ids[entry.place]!, image };
    case 'cost':
      return entry;
  }
}

/** The entry of a line; the image comes from `imageOf`. */
export function toEntry(
  line: EvaluationLine,
  placeOf: (id: number) => number,
  imageOf: (number: number) => Float32Array,
): LedgerEntry {
  switch (line.type) {
    case 'clean':
      return { type: 'clean', place: placeOf(line.id), right: line.right };
    case 'stood':
      return { type: 'stood', attack: line.attack, place: placeOf(line.id) };
    case 'broken':
      return {
        type: 'broken',
        attack: line.attack,
        place: placeOf(line.id),
        image: imageOf(line.image),
      };
    case 'cost':
      return line;
  }
}

/**
 * The lines of a file; a last one that is not whole is left out, as a process was killed while it wrote it.
 *
 * @throws {InputError} that names the line which is none.
 */
export function parseLines(text: string, path: string): EvaluationLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      try {
        return lineSchema.parse(JSON.parse(line));
      } catch (error) {
        const sentence = `Expected a verdict in line ${index + 1} of ${path} but it cannot be read.`;
        throw new InputError('broken-file', sentence, { cause: error });
      }
    });
}
