/** Choices of a user about images. This file imports nothing, so that help texts and the validation of recipes stay fast. */

/**
 * How an image is resized to the network's input: `crop` scales to cover the size and crops the centre, `stretch` changes
 * the aspect ratio, `pad` scales to fit and fills the rest with white.
 */
export const resizeRules = ['crop', 'stretch', 'pad'] as const;

export type ResizeRule = (typeof resizeRules)[number];

/** What happens to broken images: they are an error that names all of them, or are left out with a warning. */
export const brokenRules = ['refuse', 'skip'] as const;

export type BrokenRule = (typeof brokenRules)[number];
