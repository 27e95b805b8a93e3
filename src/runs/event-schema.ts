import { z } from 'zod';
import { whole } from '../input/fields.js';
import type { RunEvent } from './events.js';

const time = z.string();
const at = { time, epoch: whole(0), step: whole(0) };
/** JSON writes null for what is not finite. */
const number = z.union([z.number(), z.null().transform(() => Number.NaN)]);

/** Checks the lines of `events.jsonl` when they are read: a file can come from elsewhere. */
export const runEventSchema: z.ZodType<RunEvent> = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('start'),
    time,
    epochs: whole(1),
    stepsPerEpoch: whole(1),
    parameters: whole(0),
  }),
  z.object({ type: z.literal('resume'), ...at }),
  z.object({
    type: z.literal('step'),
    ...at,
    loss: number,
    accuracy: number,
    learningRate: number,
    imagesPerSecond: number,
  }),
  z.object({ type: z.literal('epoch'), ...at, seconds: number, measurements: z.record(z.string(), number) }),
  z.object({ type: z.literal('checkpoint'), ...at, file: z.enum(['last', 'best', 'healthy']) }),
  z.object({ type: z.literal('warning'), time, step: whole(0), message: z.string() }),
  z.object({ type: z.literal('interrupted'), ...at }),
  z.object({ type: z.literal('failed'), ...at, message: z.string() }),
  z.object({ type: z.literal('end'), ...at, seconds: number }),
]);
