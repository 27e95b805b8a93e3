import { z } from 'zod';
import { InputError } from '../../errors.js';
import type { LedgerEntry } from '../ledger.js';

/**
 * A line of `verdicts.jsonl`: a ledger entry with the example id instead of its index, and the number of the image in
 * the image file instead of the image.
 */
const lineSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('clean'), id: z.int(), right: z.boolean() }),
  z.strictObject({
    type: z.literal('stood'),
    attack: z.string(),
    id: z.int(),
    blind: z.literal(true).optional(),
  }),
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

/** `image` is the number assigned to the next image. */
export function toLine(entry: LedgerEntry, ids: ArrayLike<number>, image: number): EvaluationLine {
  switch (entry.type) {
    case 'clean':
      return { type: 'clean', id: ids[entry.index]!, right: entry.right };
    case 'stood':
      return {
        type: 'stood',
        attack: entry.attack,
        id: ids[entry.index]!,
        ...(entry.blind === true && { blind: true }),
      };
    case 'broken':
      return { type: 'broken', attack: entry.attack, id: ids[entry.index]!, image };
    case 'cost':
      return entry;
  }
}

/** The ledger entry of a line; `imageOf` reads the image. */
export function toEntry(
  line: EvaluationLine,
  indexOf: (id: number) => number,
  imageOf: (number: number) => Float32Array,
): LedgerEntry {
  switch (line.type) {
    case 'clean':
      return { type: 'clean', index: indexOf(line.id), right: line.right };
    case 'stood':
      return {
        type: 'stood',
        attack: line.attack,
        index: indexOf(line.id),
        ...(line.blind === true && { blind: true }),
      };
    case 'broken':
      return {
        type: 'broken',
        attack: line.attack,
        index: indexOf(line.id),
        image: imageOf(line.image),
      };
    case 'cost':
      return line;
  }
}

/**
 * Parses the file; a trailing incomplete line, left by a killed process, is ignored.
 *
 * @throws {InputError} naming the first invalid line.
 */
export function parseLines(text: string, path: string): EvaluationLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      try {
        return lineSchema.parse(JSON.parse(line));
      } catch (error) {
        const sentence = `Expected a verdict in line ${index + 1} of ${path} but the line is invalid.`;
        throw new InputError('broken-file', sentence, { cause: error });
      }
    });
}
