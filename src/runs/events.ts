import { z } from 'zod';
import { whole } from '../user-input/schema-fields.js';

/** Where a run computes from here on; runs of earlier versions did not record it. */
interface Place {
  /** `cpu`, `cuda:0` */
  readonly device?: string | undefined;
  /** The card as NVIDIA calls it; null for the CPU. */
  readonly card?: string | null | undefined;
  readonly precision?: string | undefined;
}

/**
 * The lines of `events.jsonl`, which the dashboard and the report read. The name of a measurement consists of split,
 * metric, threat model and attack: `validation/robust/linf-8-255/pgd-10`, `validation/clean`, `train/loss`,
 * `train/accuracy`.
 */
export type RunEvent =
  | ({
      readonly type: 'start';
      readonly time: string;
      readonly epochs: number;
      readonly stepsPerEpoch: number;
      readonly parameters: number;
    } & Place)
  | ({
      readonly type: 'resume';
      readonly time: string;
      readonly epoch: number;
      readonly step: number;
    } & Place)
  | {
      readonly type: 'step';
      readonly time: string;
      readonly epoch: number;
      readonly step: number;
      readonly loss: number;
      readonly accuracy: number;
      readonly learningRate: number;
      readonly imagesPerSecond: number;
    }
  | {
      readonly type: 'epoch';
      readonly time: string;
      readonly epoch: number;
      readonly step: number;
      readonly seconds: number;
      readonly measurements: Readonly<Record<string, number>>;
    }
  | {
      readonly type: 'checkpoint';
      readonly time: string;
      readonly epoch: number;
      readonly step: number;
      readonly file: 'last' | 'best' | 'healthy';
    }
  | { readonly type: 'warning'; readonly time: string; readonly step: number; readonly message: string }
  | { readonly type: 'interrupted'; readonly time: string; readonly epoch: number; readonly step: number }
  | {
      readonly type: 'failed';
      readonly time: string;
      readonly epoch: number;
      readonly step: number;
      readonly message: string;
    }
  | {
      readonly type: 'end';
      readonly time: string;
      readonly epoch: number;
      readonly step: number;
      readonly seconds: number;
      /** The epoch of the best value, of a run that ended early, since none was better within its patience. */
      readonly bestEpoch?: number | undefined;
    };

const time = z.string();
const place = {
  device: z.string().optional(),
  card: z.string().nullable().optional(),
  precision: z.string().optional(),
};
const position = { time, epoch: whole(0), step: whole(0) };
/** JSON.stringify writes non-finite numbers as null. */
const number = z.union([z.number(), z.null().transform(() => Number.NaN)]);

/** Validates the lines of `events.jsonl`, which may come from elsewhere. */
export const runEventSchema: z.ZodType<RunEvent> = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('start'),
    time,
    epochs: whole(1),
    stepsPerEpoch: whole(1),
    parameters: whole(0),
    ...place,
  }),
  z.object({ type: z.literal('resume'), ...position, ...place }),
  z.object({
    type: z.literal('step'),
    ...position,
    loss: number,
    accuracy: number,
    learningRate: number,
    imagesPerSecond: number,
  }),
  z.object({
    type: z.literal('epoch'),
    ...position,
    seconds: number,
    measurements: z.record(z.string(), number),
  }),
  z.object({ type: z.literal('checkpoint'), ...position, file: z.enum(['last', 'best', 'healthy']) }),
  z.object({ type: z.literal('warning'), time, step: whole(0), message: z.string() }),
  z.object({ type: z.literal('interrupted'), ...position }),
  z.object({ type: z.literal('failed'), ...position, message: z.string() }),
  z.object({ type: z.literal('end'), ...position, seconds: number, bestEpoch: whole(1).optional() }),
]);
