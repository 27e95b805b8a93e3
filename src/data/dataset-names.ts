import { InputError } from '../errors.js';
import { nearest } from '../user-input/did-you-mean.js';
import { type Split, splits } from './dataset.js';

/** The subset that leaderboards use: 5,000 images of `val`, in RobustBench's order. */
export const robustbenchSubset = 'robustbench-5000';

/** All images of a folder that has no splits. */
export const allImages = 'whole';

/**
 * The names of the data sets. This file imports no reader, so that help texts and the validation of recipes stay fast;
 * `load-dataset.ts` maps each name to its reader.
 */
export const dataNames = ['fashion-mnist', 'mnist', 'cifar10', 'cifar100', 'folder', 'imagenet'] as const;

export type DataName = (typeof dataNames)[number];

/** A split by name; the RobustBench subset exists for `imagenet` only, and `whole` for `folder`. */
export type NamedSplit = Split | typeof robustbenchSubset | typeof allImages;

export function isDataName(text: string): text is DataName {
  return dataNames.some((name) => name === text);
}

/**
 * Parses `NAME` or `NAME:SPLIT`, such as `fashion-mnist:test`. The split defaults to `defaultSplit`.
 *
 * @throws {InputError} for an unknown name or split, listing the known ones.
 */
export function parseDataName(
  text: string,
  defaultSplit: Split = 'test',
): { readonly name: DataName; readonly split: NamedSplit } {
  const colon = text.indexOf(':');
  const name = colon === -1 ? text : text.slice(0, colon);
  const splitText = colon === -1 ? defaultSplit : text.slice(colon + 1);
  if (!isDataName(name)) {
    const meant = nearest(name, dataNames);
    throw InputError.expected(
      `one of ${dataNames.join(', ')}`,
      'the data set',
      name,
      meant === undefined
        ? 'For images of your own, use folder and say where they are.'
        : `Did you mean '${meant}'?`,
    );
  }
  const own: readonly NamedSplit[] =
    name === 'imagenet'
      ? [...splits, robustbenchSubset]
      : name === 'folder'
        ? [...splits, allImages]
        : splits;
  const split = own.find((known) => known === splitText);
  if (split === undefined)
    throw InputError.expected(
      `one of ${own.join(', ')}`,
      `the split of ${name}`,
      splitText,
      splitRemedy(splitText, { name, own }),
    );
  return { name, split };
}

function splitRemedy(
  text: string,
  { name, own }: { readonly name: DataName; readonly own: readonly NamedSplit[] },
): string | undefined {
  if (name === 'imagenet' && text.toLowerCase() === 'val') return "ImageNet's val is called test here.";
  const meant = nearest(text, own);
  return meant === undefined ? undefined : `Did you mean '${meant}'?`;
}
