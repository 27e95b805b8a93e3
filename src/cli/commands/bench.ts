import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Argument, Command } from '@commander-js/extra-typings';
import type { BenchRow } from '../../../bench/row.js';
import { InputError } from '../../errors.js';
import { chooseStatedDevice, deviceOption } from '../device-option.js';
import { wholeNumber } from '../option-parsers.js';
import { columns } from '../terminal/columns.js';
import { createDisplay } from '../terminal/terminal.js';
import { requireJsonPath, writeResult } from '../write-result.js';

const names = [
  'train-step',
  'attack-pass',
  'attack-arithmetic',
  'activations',
  'activation-cost',
  'call',
  'autoattack',
  'pgd',
  'ranks',
  'imagenet-pipeline',
  'image-cache',
] as const;

/** Those that measure photographs of the user's. */
const ofPhotos: readonly string[] = ['imagenet-pipeline', 'image-cache'];

/** The benchmarks that run on a graphics card too. */
const onCards: readonly string[] = ['train-step', 'autoattack', 'pgd'];

/** `satin bench [NAME]` */
export function benchCommand() {
  return new Command('bench')
    .description(
      'Compares the speed of Satin and PyTorch in alternating runs. Keep the machine idle meanwhile.',
    )
    .addArgument(new Argument('[name]', 'which benchmark (default: all)').choices(names))
    .option('--python <path>', 'a Python that has torch', 'python3')
    .addOption(deviceOption())
    .option('--pairs <count>', 'number of alternating runs of each side', wholeNumber('--pairs', 3), 15)
    .option('--only <text>', 'only the benchmarks whose name contains this text, such as width-16/silu')
    .option('--model <run>', 'run folder of the ResNet-18 that autoattack and pgd attack')
    .option(
      '--reference <folder>',
      'a checkout of github.com/fra31/auto-attack to compare autoattack with; pgd is compared with torchattacks',
    )
    .option('--images <count>', 'images per run of an attack', wholeNumber('--images', 1), 250)
    .option('--share <part>', "fraction of each attack's steps to run, such as 0.1", partOfSteps, 1)
    .option('--as-shipped', 'run the reference in its default configuration instead of its fastest')
    .option('--json <file>', 'write the results as JSON to a file, or - for standard output')
    .option(
      '--photos <folder>',
      'photographs for imagenet-pipeline and image-cache, one subfolder per class, such as val/ of ImageNet',
    )
    .action(
      async (name, { python, device: stated, pairs, only = '', json, model, photos = null, ...attacked }) => {
        requireJsonPath(json);
        const { reference = null, images, share, asShipped = false } = attacked;
        if (model === undefined && (name === 'autoattack' || name === 'pgd' || reference !== null))
          throw InputError.expected('a run folder', '--model', undefined);
        if (stated !== undefined && stated !== 'cpu' && name !== undefined && !onCards.includes(name))
          throw InputError.expected('cpu', '--device', stated, `${name} measures the CPU.`);
        if (photos === null && name !== undefined && ofPhotos.includes(name))
          throw InputError.expected('a folder of photographs', '--photos', undefined);
        if (reference !== null && !existsSync(join(reference, 'autoattack', 'autoattack.py')))
          throw InputError.expected('a checkout of auto-attack', '--reference', reference);
        const { benches } = await import('../../../bench/benches.js');
        const display = createDisplay();
        const { note, progress: onProgress } = display;
        const device = await chooseStatedDevice({ device: stated, say: note });
        const busy = await busyShare();
        if (busy > 0.1)
          note(`Other programs use ${Math.round(busy * 100)} % of the machine: the results are unreliable.`);
        const rows: BenchRow[] = [];
        for (const each of name === undefined ? names : [name])
          rows.push(
            ...(await benches[each]({
              python,
              pairs,
              only: (row) => row.includes(only),
              note,
              onProgress,
              device: onCards.includes(each) ? device : 'cpu',
              photos,
              attacked: model === undefined ? null : { model, reference, images, share, asShipped },
            })),
          );
        display.close();
        if (rows.length === 0)
          throw InputError.expected('part of the name of a benchmark result', '--only', only);
        writeResult(rows, {
          json,
          table: `${columns(rows.map(cells), { right: [1, 4], optional: 1 }).join('\n')}\n`,
        });
      },
    );
}

/** Parses `--share`. */
function partOfSteps(text: string): number {
  const part = Number(text);
  if (!(part > 0 && part <= 1)) throw InputError.expected('a number above 0 and at most 1', '--share', text);
  return part;
}

/** Name, Satin's figure, the peer's, their ratio with its interval; without a peer the interval is that of the figure. */
function cells({ name, unit, satin, peer, peerName, ratio, interval }: BenchRow): string[] {
  const figure = (value: number) => value.toPrecision(3);
  const range = interval === null ? '' : `[${interval.map(figure).join(', ')}]`;
  const compared =
    peer === null || ratio === null ? ['', ''] : [`${peerName}: ${figure(peer)}`, `ratio ${figure(ratio)}`];
  return [name, figure(satin), unit, ...compared, range];
}

/** CPU load of other processes during one second, in [0, 1]; 0 if the system does not report it. */
async function busyShare(): Promise<number> {
  const read = () => {
    const [user = 0, nice = 0, system = 0, idle = 0, wait = 0] = readFileSync('/proc/stat', 'utf8')
      .split('\n', 1)[0]!
      .split(/\s+/)
      .slice(1)
      .map(Number);
    return { busy: user + nice + system, all: user + nice + system + idle + wait };
  };
  try {
    const before = read();
    await setTimeout(1000);
    const after = read();
    return (after.busy - before.busy) / Math.max(1, after.all - before.all);
  } catch {
    return 0;
  }
}
