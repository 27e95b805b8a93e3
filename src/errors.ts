/**
 * The error classes of Satin. Every error carries a stable `code` and one sentence that names what was
 * expected, what came and, where it is known, how to mend it. The command line prints the sentence and
 * exits with `exitCode`; a stack is shown only for errors that are not of these classes (a bug in Satin).
 */
export class SatinError extends Error {
  /** Stable, kebab-case, for programs: messages may change, codes do not. */
  readonly code: string;
  /** What the command line exits with: 1 failed, 2 wrong use or bad input, 130 interrupted. */
  readonly exitCode: 1 | 2 | 130 = 1;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** Wrong use or bad input: an unknown name, a number out of range, a file that is not what it should be. */
export class InputError extends SatinError {
  override readonly exitCode = 2;

  /** *Expected `expected` for `name` but received `received`. `remedy`* */
  static expected(expected: string, name: string, received: unknown, remedy?: string): InputError {
    const sentence = `Expected ${expected} for ${name} but received ${describe(received)}.`;
    return new InputError('invalid-input', remedy === undefined ? sentence : `${sentence} ${remedy}`);
  }
}

/** libtorch or the binding refused or failed: a shape mismatch, no memory, an operator it does not know. */
export class EngineError extends SatinError {
  constructor(message: string, options?: ErrorOptions) {
    super('engine', message, options);
  }
}

/** A tensor was used after it was disposed of, or a number was passed that names no live tensor. */
export class DisposedError extends SatinError {
  constructor(message: string, options?: ErrorOptions) {
    super('disposed', message, options);
  }
}

/** A run could not go on: a non-finite loss, an attack that left its ball. */
export class RunError extends SatinError {}

/** The user pressed Ctrl-C; everything that was done so far has been written. */
export class InterruptedError extends SatinError {
  override readonly exitCode = 130;

  constructor(message: string, options?: ErrorOptions) {
    super('interrupted', message, options);
  }
}

/** How a value reads in a sentence: strings in quotes, long ones cut, control characters spelt, objects by their JSON. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    const spelt = value.replaceAll(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
    return spelt.length > 80 ? `'${spelt.slice(0, 77)}...'` : `'${spelt}'`;
  }
  if (typeof value === 'function') return `a function${value.name === '' ? '' : ` (${value.name})`}`;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined)
    return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Error) return value.message;
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined;
  }
  return text === undefined ? typeof value : text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
