import { z } from 'zod';
import { unwrapSchema } from '../user-input/unwrap-schema.js';
import { isSection, type Section } from './section.js';

/**
 * The recipe `after` without what belonged to another objective, optimiser or schedule than the one that replaced it: keys
 * that the schema had beside the old value and does not have beside the new one. A key that was changed itself stays, so that
 * it is refused.
 */
export function dropForeignKeys(
  schema: z.ZodType,
  { before, after, stated }: { readonly before: Section; readonly after: Section; readonly stated: Section },
): { readonly recipe: Section; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const recipe = kept({ schema, before, after, stated, oldSchema: schema, path: [], foreign: null, notes });
  return { recipe: isSection(recipe) ? recipe : after, notes };
}

interface Place {
  readonly schema: unknown;
  /** The schema before the change. */
  readonly oldSchema: unknown;
  readonly before: unknown;
  readonly after: unknown;
  readonly stated: unknown;
  readonly path: readonly string[];
  /** The choice that changed at this place or above, such as `training.objective=clean`. */
  readonly foreign: string | null;
  readonly notes: string[];
}

function kept(place: Place): unknown {
  const { before, after, path, notes } = place;
  const stated = isSection(place.stated) ? place.stated : {};
  if (!isSection(before) || !isSection(after)) return after;
  const { shape, changed } = shapeOf(place);
  const old = shapeOf({ ...place, schema: place.oldSchema, after: before }).shape ?? {};
  if (shape === null) return after;
  const foreign = changed ?? place.foreign;
  return Object.fromEntries(
    Object.entries(after).flatMap(([key, value]) => {
      const inner = [...path, key];
      if (Object.hasOwn(shape, key))
        return [
          [
            key,
            kept({
              ...place,
              schema: shape[key],
              oldSchema: old[key],
              before: before[key],
              after: value,
              stated: stated[key],
              path: inner,
              foreign,
            }),
          ],
        ];
      // What the user changed as well is refused, as is what never belonged there.
      if (foreign === null || Object.hasOwn(stated, key) || !Object.hasOwn(old, key)) return [[key, value]];
      notes.push(`${inner.join('.')} is dropped, which does not belong to ${foreign}.`);
      return [];
    }),
  );
}

/** The keys that the schema has at a place, and the choice that decides on them if it changed; null where there are none. */
function shapeOf({ schema, before, after, path }: Place): {
  readonly shape: Readonly<Record<string, unknown>> | null;
  readonly changed: string | null;
} {
  const plain = unwrapSchema(schema);
  if (plain instanceof z.ZodObject) return { shape: plain.shape, changed: null };
  if (!(plain instanceof z.ZodDiscriminatedUnion)) return { shape: null, changed: null };
  const tag = plain.def.discriminator;
  const chosen = (section: unknown) => (isSection(section) ? section[tag] : undefined);
  const option = plain.options.find(
    (each) => each instanceof z.ZodObject && z.safeParse(each.shape[tag] as z.ZodType, chosen(after)).success,
  );
  if (!(option instanceof z.ZodObject)) return { shape: null, changed: null };
  const isChanged = chosen(before) !== chosen(after);
  return { shape: option.shape, changed: isChanged ? `${[...path, tag].join('.')}=${chosen(after)}` : null };
}
