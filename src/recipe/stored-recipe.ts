import { z } from 'zod';

/** A stored recipe, which alone has the text of its ε, whose GradAlign was stored before it said where. */
const gradAlignOfOld = z.looseObject({
  threat: z.looseObject({ epsilonText: z.string() }),
  training: z.looseObject({ gradAlign: z.looseObject({ at: z.undefined().optional() }) }),
});

/**
 * A stored recipe with the settings that were added since where their default is another than what the recipe meant when
 * it was written; anything else as it is. Settings whose default is that meaning need nothing.
 */
export function withFormerMeaning(input: unknown): unknown {
  const { success, data } = gradAlignOfOld.safeParse(input);
  if (!success) return input;
  const { training } = data;
  return { ...data, training: { ...training, gradAlign: { ...training.gradAlign, at: 'image' } } };
}
