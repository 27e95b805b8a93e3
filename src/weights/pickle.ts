import { InputError } from '../errors.js';

/**
 * Parses Python pickles without executing code. A pickle is a program for a stack machine; only the opcodes in the
 * table below are supported, and the only functions it can call are those supplied by the reader, each of which merely
 * constructs a value. The interpretation of the values is up to the reader.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[] // lists and tuples
  | Map<PickleValue, PickleValue>
  | PickleObject;

/** Base class of values that are not plain data. */
export abstract class PickleObject {}

/**
 * A number as a key of a dictionary. V8 hashes numbers without a secret, so that a file could choose a hundred thousand
 * that fall into one bucket of a map; the hash of an object is random. No writer repeats a key: the same number twice is
 * two keys.
 */
export class NumberKey extends PickleObject {
  constructor(readonly value: number | bigint) {
    super();
  }
}

/** A function or class that a pickle may reference, such as `collections.OrderedDict`. */
export class PickleFunction extends PickleObject {
  constructor(
    readonly name: string,
    readonly make: (values: readonly PickleValue[]) => PickleValue,
  ) {
    super();
  }
}

/** What stands for a value as a key of a dictionary. */
export function keyOf(value: PickleValue): PickleValue {
  return typeof value === 'number' || typeof value === 'bigint' ? new NumberKey(value) : value;
}

export interface PickleOptions {
  /** Starts at the pickle; may extend beyond its end. */
  readonly bytes: Buffer;
  /** The file, for error messages. */
  readonly path: string;
  /** Resolves `module.name`. @throws {InputError} for names that are not allowed. */
  readonly findClass: (name: string) => PickleValue;
  /** Resolves a persistent id: the arrays stored outside the pickle. */
  readonly persistentLoad: (id: PickleValue) => PickleValue;
}

/**
 * Limits that no state dict exceeds; they keep a malicious pickle from exhausting memory or time. In addition, the
 * arguments of all calls together have at most one element per byte: a list that is remembered takes two bytes to pass
 * to a function again, which copies it.
 */
const limits = { opcodes: 2_000_000, integerBytes: 255 } as const;

/**
 * Parses a pickle; returns its value and the offset of its end.
 *
 * @throws {InputError} if it is truncated, uses an unsupported opcode or references a name that is not allowed.
 */
export function readPickle(options: PickleOptions): { readonly value: PickleValue; readonly end: number } {
  const machine = new UnpicklingMachine(options);
  for (let count = 0; count < limits.opcodes; count++) {
    const code = machine.byte();
    if (code === stop) return { value: machine.pop(), end: machine.position };
    const run = opcodes[code];
    if (run === undefined)
      throw machine.broken(`its pickle has the unsupported opcode 0x${code.toString(16).padStart(2, '0')}`);
    run(machine);
  }
  throw machine.broken(`its pickle has more than ${limits.opcodes} opcodes`);
}

/** The error for a damaged PyTorch file. */
export function brokenPickle(path: string, what: string): InputError {
  return new InputError('broken-file', `Expected weights saved by torch.save in ${path} but ${what}.`);
}

class UnpicklingMachine {
  position = 0;
  readonly memo: PickleValue[] = [];
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  #passed = 0;

  constructor(readonly options: PickleOptions) {}

  broken(what: string): InputError {
    return brokenPickle(this.options.path, what);
  }

  next(length: number): Buffer {
    const end = this.position + length;
    if (end > this.options.bytes.length) throw this.broken('its pickle is truncated');
    const part = this.options.bytes.subarray(this.position, end);
    this.position = end;
    return part;
  }

  byte(): number {
    const byte = this.options.bytes[this.position];
    if (byte === undefined) throw this.broken('its pickle is truncated');
    this.position++;
    return byte;
  }

  line(): string {
    const end = this.options.bytes.indexOf(0x0a, this.position);
    if (end < 0) throw this.broken('its pickle is truncated');
    const text = this.next(end - this.position).toString('utf8');
    this.position = end + 1;
    return text;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0))
      throw this.broken('its pickle pops from an empty stack');
    return this.#stack.pop()!;
  }

  /** The top of the stack, without removing it. */
  top(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** Pops the last mark and returns everything above it. */
  popMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.broken('its pickle has no mark');
    return this.#stack.splice(mark);
  }

  memoize(index: number): void {
    // Python numbers them in order; any number would make the array sparse, and a map slow where its hashes collide.
    if (index > this.position) throw this.broken(`its pickle numbers a memo entry ${index}`);
    this.memo[index] = this.top();
  }

  recall(index: number): void {
    const value = this.memo[index];
    if (value === undefined) throw this.broken('its pickle reads an unset memo entry');
    this.push(value);
  }

  extend(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.broken('its pickle appends to something other than a list');
    for (const value of values) list.push(value);
  }

  setItems(items: readonly PickleValue[]): void {
    const map = this.top();
    if (!(map instanceof Map) || items.length % 2 !== 0)
      throw this.broken('its pickle sets items of something other than a dictionary');
    for (let index = 0; index < items.length; index += 2) map.set(keyOf(items[index]!), items[index + 1]!);
  }

  call(): void {
    const [values, callee] = [this.pop(), this.pop()];
    if (!(callee instanceof PickleFunction) || !Array.isArray(values))
      throw this.broken('its pickle calls something other than a function');
    for (const value of values) this.#passed += Array.isArray(value) ? 1 + value.length : 1;
    if (this.#passed > this.options.bytes.length)
      throw this.broken(`its pickle passes more than ${this.options.bytes.length} values to functions`);
    this.push(callee.make(values));
  }

  long(length: number): void {
    if (length > limits.integerBytes) throw this.broken(`its pickle has an integer of ${length} bytes`);
    const hexadecimal = Buffer.from(this.next(length)).reverse().toString('hex');
    this.push(length === 0 ? 0 : plain(BigInt.asIntN(8 * length, BigInt(`0x${hexadecimal}`))));
  }

  length64(): number {
    return Number(this.next(8).readBigUInt64LE());
  }
}

/** As a number if that is exact. */
function plain(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const stop = 0x2e;

/** The supported opcodes by code, with the names of Python's pickletools. */
const opcodes: Readonly<Record<number, (machine: UnpicklingMachine) => void>> = {
  // PROTO, FRAME
  128: (m) => {
    const protocol = m.byte();
    if (protocol < 2 || protocol > 5) throw m.broken(`its pickle has the unsupported protocol ${protocol}`);
  },
  149: (m) => void m.length64(),
  // NONE, NEWTRUE, NEWFALSE
  78: (m) => m.push(null),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  // BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT
  74: (m) => m.push(m.next(4).readInt32LE()),
  75: (m) => m.push(m.byte()),
  77: (m) => m.push(m.next(2).readUInt16LE()),
  138: (m) => m.long(m.byte()),
  139: (m) => m.long(m.next(4).readUInt32LE()),
  71: (m) => m.push(m.next(8).readDoubleBE()),
  // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8; BINSTRING and SHORT_BINSTRING of Python 2
  88: (m) => m.push(m.next(m.next(4).readUInt32LE()).toString('utf8')),
  140: (m) => m.push(m.next(m.byte()).toString('utf8')),
  141: (m) => m.push(m.next(m.length64()).toString('utf8')),
  84: (m) => m.push(m.next(m.next(4).readUInt32LE()).toString('latin1')),
  85: (m) => m.push(m.next(m.byte()).toString('latin1')),
  // BINBYTES, SHORT_BINBYTES
  66: (m) => m.push(m.next(m.next(4).readUInt32LE())),
  67: (m) => m.push(m.next(m.byte())),
  // EMPTY_LIST, APPEND, APPENDS
  93: (m) => m.push([]),
  97: (m) => m.extend([m.pop()]),
  101: (m) => m.extend(m.popMark()),
  // EMPTY_DICT, SETITEM, SETITEMS
  125: (m) => m.push(new Map()),
  115: (m) => {
    const [value, key] = [m.pop(), m.pop()];
    m.setItems([key, value]);
  },
  117: (m) => m.setItems(m.popMark()),
  // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
  41: (m) => m.push([]),
  133: (m) => m.push([m.pop()]),
  134: (m) => m.push([m.pop(), m.pop()].reverse()),
  135: (m) => m.push([m.pop(), m.pop(), m.pop()].reverse()),
  116: (m) => m.push(m.popMark()),
  // MARK, POP, POP_MARK, DUP
  40: (m) => m.mark(),
  48: (m) => void m.pop(),
  49: (m) => void m.popMark(),
  50: (m) => m.push(m.top()),
  // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  113: (m) => m.memoize(m.byte()),
  114: (m) => m.memoize(m.next(4).readUInt32LE()),
  148: (m) => m.memoize(m.memo.length),
  104: (m) => m.recall(m.byte()),
  106: (m) => m.recall(m.next(4).readUInt32LE()),
  // GLOBAL, STACK_GLOBAL: a name, resolved by the reader
  99: (m) => m.push(m.options.findClass(`${m.line()}.${m.line()}`)),
  147: (m) => {
    const [name, module] = [m.pop(), m.pop()];
    if (typeof name !== 'string' || typeof module !== 'string')
      throw m.broken('its pickle has a name that is not a string');
    m.push(m.options.findClass(`${module}.${name}`));
  },
  // REDUCE, NEWOBJ: a call of an allowed function
  82: (m) => m.call(),
  129: (m) => m.call(),
  // BUILD: attributes, such as the _metadata of a state dict; never weights
  98: (m) => void m.pop(),
  // BINPERSID
  81: (m) => m.push(m.options.persistentLoad(m.pop())),
};
