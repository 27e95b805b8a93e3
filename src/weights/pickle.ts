import { InputError } from '../errors.js';

/**
 * Reads what Python's pickle wrote, without running it. A pickle is a program for a machine with a stack; only the opcodes
 * of the table below exist here, and the functions that it may name are those that the reader hands in: each makes a value of
 * this module's and none does anything else. What the values mean is not decided here.
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

/** What a reader makes beside plain values. */
export abstract class PickleObject {}

/** A function or class that a pickle may name, such as `collections.OrderedDict`. */
export class PickleFunction extends PickleObject {
  constructor(
    readonly name: string,
    readonly make: (values: readonly PickleValue[]) => PickleValue,
  ) {
    super();
  }
}

export interface PickleOptions {
  /** Begins at the pickle; may go on behind it. */
  readonly bytes: Buffer;
  /** The file, for sentences. */
  readonly path: string;
  /** What `module.name` stands for. @throws {InputError} for all that is not allowed. */
  readonly named: (name: string) => PickleValue;
  /** What a persistent id stands for: the arrays beside the pickle. */
  readonly persistent: (id: PickleValue) => PickleValue;
}

/** Beyond these a pickle is no list of weights; they keep a hostile one from filling the memory. */
const most = { opcodes: 2_000_000, integerBytes: 255 } as const;

/**
 * The value that a pickle describes, and the place behind it.
 *
 * @throws {InputError} where it is cut short, uses another opcode or names what is not allowed.
 */
export function readPickle(options: PickleOptions): { readonly value: PickleValue; readonly end: number } {
  const machine = new Machine(options);
  for (let count = 0; count < most.opcodes; count++) {
    const code = machine.next(1)[0]!;
    if (code === stop) return { value: machine.pop(), end: machine.at };
    const run = opcodes[code];
    if (run === undefined)
      throw machine.broken(
        `its pickle has the opcode 0x${code.toString(16).padStart(2, '0')}, which no weights need`,
      );
    run(machine);
  }
  throw machine.broken(`its pickle has more than ${most.opcodes} opcodes`);
}

/** The sentence for a file that is no whole file of PyTorch's. */
export function brokenPickle(path: string, what: string): InputError {
  return new InputError('broken-file', `Expected weights that torch.save wrote in ${path}, but ${what}.`);
}

class Machine {
  at = 0;
  readonly memo = new Map<number, PickleValue>();
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];

  constructor(readonly options: PickleOptions) {}

  broken(what: string): InputError {
    return brokenPickle(this.options.path, what);
  }

  next(length: number): Buffer {
    const end = this.at + length;
    if (end > this.options.bytes.length) throw this.broken('its pickle is cut short');
    const part = this.options.bytes.subarray(this.at, end);
    this.at = end;
    return part;
  }

  line(): string {
    const end = this.options.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.broken('its pickle is cut short');
    const text = this.next(end - this.at).toString('utf8');
    this.at = end + 1;
    return text;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0))
      throw this.broken('its pickle takes what is not there');
    return this.#stack.pop()!;
  }

  /** The uppermost value, left where it is. */
  top(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** All above the last mark, which goes too. */
  popMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.broken('its pickle takes what is not there');
    return this.#stack.splice(mark);
  }

  remember(place: number): void {
    this.memo.set(place, this.top());
  }

  recall(place: number): void {
    const value = this.memo.get(place);
    if (value === undefined) throw this.broken('its pickle takes what is not there');
    this.push(value);
  }

  extend(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.broken('its pickle adds to what is no list');
    for (const value of values) list.push(value);
  }

  setItems(items: readonly PickleValue[]): void {
    const map = this.top();
    if (!(map instanceof Map) || items.length % 2 !== 0)
      throw this.broken('its pickle adds to what is no dictionary');
    for (let at = 0; at < items.length; at += 2) map.set(items[at]!, items[at + 1]!);
  }

  call(): void {
    const [values, callee] = [this.pop(), this.pop()];
    if (!(callee instanceof PickleFunction) || !Array.isArray(values))
      throw this.broken('its pickle calls what is no function');
    this.push(callee.make(values));
  }

  long(length: number): void {
    if (length > most.integerBytes) throw this.broken(`its pickle has a whole number of ${length} bytes`);
    const hexadecimal = Buffer.from(this.next(length)).reverse().toString('hex');
    this.push(length === 0 ? 0 : plain(BigInt.asIntN(8 * length, BigInt(`0x${hexadecimal}`))));
  }

  length64(): number {
    return Number(this.next(8).readBigUInt64LE());
  }
}

/** As a number where it is one without loss. */
function plain(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const stop = 0x2e;

/** What each opcode does, by its byte; the names are those of Python's pickletools. */
const opcodes: Readonly<Record<number, (machine: Machine) => void>> = {
  // PROTO, FRAME: what follows, in a form that is known
  128: (m) => {
    const protocol = m.next(1)[0]!;
    if (protocol < 2 || protocol > 5) throw m.broken(`its pickle has the protocol ${protocol}`);
  },
  149: (m) => void m.length64(),
  // NONE, NEWTRUE, NEWFALSE
  78: (m) => m.push(null),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  // BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT
  74: (m) => m.push(m.next(4).readInt32LE()),
  75: (m) => m.push(m.next(1)[0]!),
  77: (m) => m.push(m.next(2).readUInt16LE()),
  138: (m) => m.long(m.next(1)[0]!),
  139: (m) => m.long(m.next(4).readUInt32LE()),
  71: (m) => m.push(m.next(8).readDoubleBE()),
  // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8; BINSTRING and SHORT_BINSTRING of Python 2
  88: (m) => m.push(m.next(m.next(4).readUInt32LE()).toString('utf8')),
  140: (m) => m.push(m.next(m.next(1)[0]!).toString('utf8')),
  141: (m) => m.push(m.next(m.length64()).toString('utf8')),
  84: (m) => m.push(m.next(m.next(4).readUInt32LE()).toString('latin1')),
  85: (m) => m.push(m.next(m.next(1)[0]!).toString('latin1')),
  // BINBYTES, SHORT_BINBYTES
  66: (m) => m.push(m.next(m.next(4).readUInt32LE())),
  67: (m) => m.push(m.next(m.next(1)[0]!)),
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
  113: (m) => m.remember(m.next(1)[0]!),
  114: (m) => m.remember(m.next(4).readUInt32LE()),
  148: (m) => m.remember(m.memo.size),
  104: (m) => m.recall(m.next(1)[0]!),
  106: (m) => m.recall(m.next(4).readUInt32LE()),
  // GLOBAL, STACK_GLOBAL: a name, which the reader allows or not
  99: (m) => m.push(m.options.named(`${m.line()}.${m.line()}`)),
  147: (m) => {
    const [name, module] = [m.pop(), m.pop()];
    if (typeof name !== 'string' || typeof module !== 'string') throw m.broken('its pickle names no name');
    m.push(m.options.named(`${module}.${name}`));
  },
  // REDUCE, NEWOBJ: a call of what is allowed
  82: (m) => m.call(),
  129: (m) => m.call(),
  // BUILD: attributes, such as the _metadata of a state dict. None is a weight.
  98: (m) => void m.pop(),
  // BINPERSID
  81: (m) => m.push(m.options.persistent(m.pop())),
};
