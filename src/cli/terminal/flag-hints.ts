import type { FlagCode } from '../../evaluation/checks/flag.js';

const withoutGradient = '--attack square, --surrogate "softplus(10)"';
const preprocessing = '--input-range, --mean, --std';

/**
 * The options of `satin evaluate` that carry out what the message of a flag advises: messages are part of the result,
 * which names no option of the command line.
 */
export const flagHints: Readonly<Partial<Record<string, string>>> = {
  'not-compared': '--expect',
  'random-model': '--autoattack rand',
  'logits-not-finite': '--attack square',
  'zero-gradients': withoutGradient,
  'gradient-not-finite': '--attack square',
  'saturated-logits': withoutGradient,
  'input-scale': preprocessing,
  'chance-accuracy': preprocessing,
  'blind-attack': '--attack square',
  'square-beats-gradient': '--attack square-3, --surrogate "softplus(10)"',
  'surrogate-beats-gradient': '--surrogate "softplus(10)"',
  'more-steps-are-weaker': '--attack pgd-cw-50, --attack apgd-dlr, --attack square',
  'larger-epsilon-is-weaker': '--attack apgd-ce, --attack apgd-t, --attack square',
  'huge-epsilon-stands': withoutGradient,
  'black-box-beats-white-box': withoutGradient,
  'noise-beats-attack': '--attack square',
  'gradient-no-better-than-noise': withoutGradient,
} satisfies Partial<Record<FlagCode, string>>;
