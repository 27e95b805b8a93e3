import type { EvaluationResult } from '../../evaluation/result.js';
import type { CurvePoint, GalleryExample } from '../input.js';

/** What the page of one evaluation is made of. */
export interface EvaluationPageInput {
  readonly result: EvaluationResult;
  /** 95 % Wilson interval of `result.clean`. */
  readonly cleanInterval: readonly [low: number, high: number];
  /** Accuracy against ε; may be empty. */
  readonly curve: readonly CurvePoint[];
  /** Of one network, `theModel`; may be empty. */
  readonly gallery: readonly GalleryExample[];
  /** When it was made, ISO 8601. */
  readonly generated: string;
  /** Processor and cores, in words. */
  readonly machine: string;
}
