import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Scalar } from '../scalars.js';

/** Field numbers of `Event` (tensorboard/compat/proto/event.proto) and `Summary` (summary.proto). */
const event = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 } as const;
const summary = { value: 1 } as const;
const value = { tag: 1, simpleValue: 2 } as const;

/** The first event of a file. `seconds`: time since 1970. */
export function versionBytes(seconds: number): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(event.wallTime, WireType.Bit64).double(seconds);
  writer.tag(event.fileVersion, WireType.LengthDelimited).string('brain.Event:2');
  return writer.finish();
}

/** Scalars of one step. `seconds`: time since 1970. */
export function scalarBytes(seconds: number, step: number, scalars: readonly Scalar[]): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(event.wallTime, WireType.Bit64).double(seconds);
  writer.tag(event.step, WireType.Varint).int64(step);
  writer.tag(event.summary, WireType.LengthDelimited).fork();
  for (const scalar of scalars) {
    writer.tag(summary.value, WireType.LengthDelimited).fork();
    writer.tag(value.tag, WireType.LengthDelimited).string(scalar.tag);
    writer.tag(value.simpleValue, WireType.Bit32).float(scalar.value);
    writer.join();
  }
  writer.join();
  return writer.finish();
}
