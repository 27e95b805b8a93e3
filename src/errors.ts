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
    super(cut(printableLines(message)), options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** Names and values from files are part of messages: more than this is no sentence that anybody reads. */
const longestMessage = 4000;

function cut(message: string): string {
  return message.length > longestMessage ? `${message.slice(0, longestMessage - 3)}...` : message;
}

/** Invalid usage or input: an unknown name, a number out of range, a file of the wrong format. */
export class InputError extends SatinError {
  override readonly exitCode = 2;

  /** *Expected `expected` for `name` but received `received`. `remedy`*; undefined is what nobody gave. */
  static expected(expected: string, name: string, received: unknown, remedy?: string): InputError {
    const sentence = `Expected ${expected} for ${name} but ${received === undefined ? 'nothing was given' : `received ${describe(received)}`}.`;
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

/** Control characters, the characters that reorder or hide text, and halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/**
 * A text from outside (a name, a line of a file) as it is printed, on one line: what a terminal would obey is spelled out
 * (`\x1b`, `\u202e`), and of a text that is not in Unicode's composed form (NFC) also the combining marks, so that two forms
 * of a name look different.
 */
export function printable(text: string): string {
  const shown = text.replaceAll(unprintable, spelledOut);
  return shown.normalize('NFC') === shown ? shown : shown.replaceAll(/\p{M}/gu, spelledOut);
}

/** As `printable`, line by line; tabs stay as well. */
export function printableLines(text: string): string {
  return text
    .split(/([\n\t])/)
    .map((part) => (part === '\n' || part === '\t' ? part : printable(part)))
    .join('');
}

function spelledOut(character: string): string {
  const code = character.codePointAt(0)!.toString(16);
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
}

/** Formats a value for a message: strings quoted, truncated and with control characters escaped; objects as JSON. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    const shown = printable(value);
    return shown.length > 80 ? `'${shown.slice(0, 77)}...'` : `'${shown}'`;
  }
  if (typeof value === 'function') return `a function${value.name === '' ? '' : ` (${value.name})`}`;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined)
    return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Error) return printable(value.message);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined;
  }
  if (text === undefined) return typeof value;
  const shown = printable(text);
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
}
