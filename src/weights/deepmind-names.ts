/**
 * DeepMind's names of the parameters of a wide residual network, and Satin's, which are those of TRADES. Source:
 * google-deepmind/deepmind-research, adversarial_robustness/pytorch/model_zoo.py; RobustBench's DMWideResNet, the network
 * of Gowal et al. (2020, 2021), Rebuffi et al. (2021) and Wang et al. (2023). Their networks are padded as TensorFlow's
 * `SAME`.
 */
const parts: readonly (readonly [deepMind: RegExp, satin: string])[] = [
  [/^init_conv\./, 'conv1.'],
  [/^batchnorm\./, 'bn1.'],
  [/^logits\./, 'fc.'],
];

const inBlock: Readonly<Record<string, string>> = {
  batchnorm_0: 'bn1',
  conv_0: 'conv1',
  batchnorm_1: 'bn2',
  conv_1: 'conv2',
  shortcut: 'convShortcut',
};

/** Satin's name for `layer.0.block.1.conv_0.weight`: `block1.layer.1.conv1.weight`; null for a name of anything else. */
export function fromDeepMind(name: string): string | null {
  const [, group, block, part = '', rest] =
    /^layer\.(\d)\.block\.(\d{1,3})\.([a-z]+(?:_[01])?)\.(.+)$/.exec(name) ?? [];
  if (group !== undefined && Object.hasOwn(inBlock, part))
    return `block${Number(group) + 1}.layer.${block}.${inBlock[part]}.${rest}`;
  for (const [deepMind, satin] of parts) if (deepMind.test(name)) return name.replace(deepMind, satin);
  return null;
}
