import { z } from 'zod';
import { parseAttack, withSurrogate } from '../../attacks/attack.js';
import type { Dataset } from '../../data/dataset.js';
import { describe, InputError } from '../../errors.js';
import { parseJson } from '../../files/parse-json.js';
import type { LedgerEntry } from '../ledger.js';
import type { EvaluationManifest, EvaluationSettings } from './manifest.js';
import { placesOfIds } from './place-of-id.js';

const count = z.int().nonnegative();

/**
 * A line of `verdicts.jsonl`: a ledger entry with the example id instead of its index, and the number of the image in
 * the image file instead of the image.
 */
const lineSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('clean'), id: count, right: z.boolean() }),
  z.strictObject({
    type: z.literal('stood'),
    attack: z.string(),
    id: count,
    blind: z.literal(true).optional(),
  }),
  z.strictObject({ type: z.literal('broken'), attack: z.string(), id: count, image: count }),
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
        return lineSchema.parse(parseJson(line));
      } catch (error) {
        const sentence = `Expected a verdict in line ${index + 1} of ${path} but the line is invalid.`;
        throw new InputError('broken-file', sentence, { cause: error });
      }
    });
}

/**
 * Requires that every line is about an example and an attack of its evaluation.
 *
 * @throws {InputError} naming the first line that is not.
 */
export function requireKnown(
  lines: readonly EvaluationLine[],
  options: {
    readonly path: string;
    readonly manifest: EvaluationManifest;
    readonly data: Pick<Dataset, 'ids' | 'name'>;
  },
): void {
  const { path, manifest, data } = options;
  const placeOf = placesOfIds(data.ids);
  const attacks = new Set(attackNames(manifest.evaluation));
  for (const [index, line] of lines.entries()) {
    if (line.type === 'cost') continue;
    if (placeOf(line.id) === undefined) throw unknown(`an id of ${data.name}`, path, index, line.id);
    if (line.type !== 'clean' && !attacks.has(line.attack))
      throw unknown('an attack of the evaluation', path, index, line.attack);
  }
}

/** The names of an evaluation's attacks, with those through surrogate derivatives. */
function attackNames({ attacks, surrogates }: EvaluationSettings): string[] {
  const own = attacks.map(parseAttack);
  const through = surrogates.flatMap((name) => own.map((attack) => withSurrogate(attack, name)));
  return [...own, ...through].map(({ name }) => name);
}

function unknown(expected: string, path: string, index: number, received: unknown): InputError {
  const sentence = `Expected ${expected} in line ${index + 1} of ${path} but received ${describe(received)}.`;
  return new InputError('broken-file', sentence);
}
