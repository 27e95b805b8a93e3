/** The models that recipes name; `registry.ts` makes them. Apart from it, so that a recipe is checked without them. */
export const modelNames = [
  'resnet8',
  'resnet20',
  'resnet32',
  'resnet56',
  'resnet18',
  'preact-resnet18',
] as const;

export type ModelName = (typeof modelNames)[number];
