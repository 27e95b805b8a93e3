import { parseJson } from '../../files/parse-json.js';
import { type RunEvent, runEventSchema } from '../../runs/events.js';

/** A step as the trainer writes it; half the time of JSON, and of a large log nearly all lines are steps. */
const stepLine =
  /^\{"type":"step","time":"([^"\\]{1,40})","epoch":(\d{1,15}),"step":(\d{1,15}),"loss":([-+.\deE]+),"accuracy":([-+.\deE]+),"learningRate":([-+.\deE]+),"imagesPerSecond":([-+.\deE]+)\}$/;

/** The event of a line of `events.jsonl`; undefined if it is none. */
export function parseLine(line: string): RunEvent | undefined {
  const found = stepLine.exec(line);
  if (found !== null)
    return {
      type: 'step',
      time: found[1]!,
      epoch: Number(found[2]),
      step: Number(found[3]),
      loss: Number(found[4]),
      accuracy: Number(found[5]),
      learningRate: Number(found[6]),
      imagesPerSecond: Number(found[7]),
    };
  try {
    return runEventSchema.safeParse(parseJson(line)).data;
  } catch {
    return undefined;
  }
}
