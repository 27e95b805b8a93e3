import { InputError } from '../../errors.js';
import type { OnExport } from '../../models/on-export.js';
import type { LossName } from '../../onnx/losses.js';

export interface ExportOptions {
  readonly format: 'safetensors' | 'torchscript' | 'onnx';
  /** The file to write; an existing file is overwritten. */
  readonly out: string;
  /** ONNX only: batch norms become part of the convolutions. @default false */
  readonly fold?: boolean;
  /** ONNX only: also writes the graph of the input gradient, `inputGradientFile(out)`. @default none */
  readonly inputGradient?: LossName | undefined;
  readonly onProgress?: OnExport;
}

/** The file beside an ONNX file that also returns the input gradient: `silu.onnx` → `silu.gradient.onnx`. */
export function inputGradientFile(out: string): string {
  return `${out.replace(/\.onnx$/, '')}.gradient.onnx`;
}

/** @throws {InputError} for an option of ONNX with another format. */
export function requireOnnx({
  format,
  fold,
  inputGradient,
}: Omit<ExportOptions, 'out' | 'onProgress'>): void {
  if (format === 'onnx') return;
  if (fold === true) throw InputError.expected('the format onnx', '`fold`', format);
  if (inputGradient !== undefined) throw InputError.expected('the format onnx', '`inputGradient`', format);
}
