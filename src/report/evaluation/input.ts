import type { EvaluationResult } from '../../evaluation/result.js';
import type { CurvePoint, GalleryExample } from '../input.js';

/** The content of an evaluation's page. */
export interface EvaluationPageInput {
  readonly result: EvaluationResult;
  /** 95 % Wilson interval of `result.clean`. */
  readonly cleanInterval: readonly [low: number, high: number];
  /** Accuracy against ε; may be empty. */
  readonly curve: readonly CurvePoint[];
  /** Whether the curve has all of its points. */
  readonly isWhole: boolean;
  /** Adversarial examples of one network, `theModel`; may be empty. */
  readonly gallery: readonly GalleryExample[];
  /** Time of creation, ISO 8601. */
  readonly generated: string;
  /** Processor and cores, in words. */
  readonly machine: string;
}
