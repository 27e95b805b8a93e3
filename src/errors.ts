/**
 * The error classes of Satin. Every error has a stable `code` and a message that names what was expected, what was
 * received and, if known, a remedy. The command line prints the message and exits with `exitCode`; stack traces are
 * shown only for errors of other classes, which are bugs in Satin.
 */
export class SatinError extends Error {
  /** Machine-readable code in kebab case; stable, unlike the message. */
  readonly code: string;
  /** Exit code of the command line: 1 for a failure, 2 for invalid usage or input, 130 for an interruption. */
  readonly exitCode: 1 | 2 | 130 = 1;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** Invalid usage or input: an unknown name, a number out of range, a file of the wrong format. */
export class InputError extends SatinError {
  override readonly exitCode = 2;

  /** *Expected `expected` for `name` but received `received`. `remedy`* */
  static expected(expected: string, name: string, received: unknown, remedy?: string): InputError {
    const sentence = `Expected ${expected} for ${name} but received ${describe(received)}.`;
    return new InputError('invalid-input', remedy === undefined ? sentence : `${sentence} ${remedy}`);
  }
}

/** An error of libtorch or the binding: a shape mismatch, out of memory, an unsupported operator. */
export class EngineError extends SatinError {
  constructor(message: string, options?: ErrorOptions) {
    super('engine', message, options);
  }
}

/** Use of a disposed tensor, or of an invalid tensor handle. */
export class DisposedError extends SatinError {
  constructor(message: string, options?: ErrorOptions) {
    super('disposed', message, options);
  }
}

/** A run cannot continue: a non-finite loss, an adversarial example outside the ε-ball. */
export class RunError extends SatinError {}

/** Interrupted by Ctrl-C, after saving the progress. */
export class InterruptedError extends SatinError {
  override readonly exitCode = 130;

  constructor(message: string, options?: ErrorOptions) {
    super('interrupted', message, options);
  }
}

/** Formats a value for a message: strings quoted, truncated and with control characters escaped; objects as JSON. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    const escaped = value.replaceAll(
      /\p{Cc}/gu,
      (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
    return escaped.length > 80 ? `'${escaped.slice(0, 77)}...'` : `'${escaped}'`;
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
