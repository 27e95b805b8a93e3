import { Option } from '@commander-js/extra-typings';
import { isDeviceName } from '../engine/device-name.js';
import { type Precision, precisions } from '../engine/precision-name.js';
import { InputError } from '../errors.js';

/** `--device`, of every command that runs a model. */
export function deviceOption(byDefault = 'a graphics card if there is one') {
  return new Option('--device <device>', `cpu, cuda or cuda:N (default: ${byDefault})`).argParser(
    (text: string) => {
      if (!isDeviceName(text)) throw InputError.expected('cpu, cuda or cuda:N', '--device', text);
      return text;
    },
  );
}

/** `--precision`, of commands that attack a model. */
export function precisionOption() {
  return new Option(
    '--precision <precision>',
    'in which attacks search; an image counts as misclassified only if it is in float32 (default: float32)',
  ).choices(precisions);
}

/** Loads the engine, chooses the device, and says which it is. @throws {InputError} for a card or a precision that is not there. */
export async function chooseStatedDevice(options: {
  readonly device: string | undefined;
  /** What the device is called in an error, where it is not `--device`. */
  readonly source?: string;
  readonly threads?: number | undefined;
  /** Of the attacks; omitted where none run. */
  readonly precision?: Precision | undefined;
  readonly say: (sentence: string) => void;
}): Promise<string> {
  const { chooseDevice, cardName } = await import('../engine/device.js');
  const { requirePrecision } = await import('../app/require-precision.js');
  const { engineInfo, setThreads } = await import('../engine/engine-info.js');
  if (options.threads !== undefined) setThreads(options.threads);
  const device = chooseDevice(options.device, options.source);
  const { precision } = options;
  if (precision !== undefined) requirePrecision(precision, { device, name: '--precision' });
  options.say(deviceLine({ device, card: cardName(device), threads: engineInfo().threads, precision }));
  return device;
}

function deviceLine({
  device,
  card,
  threads,
  precision = 'float32',
}: {
  readonly device: string;
  readonly card: string | null;
  readonly threads: number;
  readonly precision?: Precision | undefined;
}): string {
  const place =
    device === 'cpu' ? `${threads} ${threads === 1 ? 'thread' : 'threads'}` : (card ?? 'unknown card');
  const search =
    precision === 'float32' ? 'float32' : `attacks search in ${precision}, verdicts are float32's`;
  return `On ${device} (${place}), ${search}.`;
}
