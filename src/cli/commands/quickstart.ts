import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command, Option } from '@commander-js/extra-typings';
import type { QuickstartSummary } from '../../app/quickstart.js';
import { quickstartData } from '../../app/quickstart-data.js';
import { chooseStatedDevice, deviceOption } from '../device-option.js';
import { listenForInterrupt } from '../interrupt.js';
import { wholeNumber } from '../option-parsers.js';
import { withSameCommand } from '../resume-command.js';
import { percentage } from '../terminal/format.js';
import { print } from '../terminal/print.js';
import { createDisplay, type Display } from '../terminal/terminal.js';

/** `satin quickstart` */
export function quickstartCommand() {
  return new Command('quickstart')
    .description(
      'Trains a ReLU and a SiLU network, attacks both, and writes a report. On Fashion-MNIST (60,000 photographs of ' +
        'clothes) it takes a few minutes; on CIFAR-10 (natural photographs, a download of 170 MB) about twenty ' +
        'minutes on two cores. The same command resumes an interrupted quickstart.',
    )
    .addOption(new Option('--data <name>', 'data set').choices(quickstartData).default(quickstartData[0]!))
    .option('--data-dir <folder>', 'folder of the data set')
    .option(
      '--out <folder>',
      'output folder (default: runs/quickstart, and runs/quickstart-cifar10 with --data cifar10)',
    )
    .option('--seed <number>', 'seed of initialisation, data order and attacks', wholeNumber('--seed', 0), 0)
    .option('--smoke', 'a tiny version that takes seconds and trains nothing useful', false)
    .addOption(deviceOption())
    .option('--threads <count>', 'number of CPU threads', wholeNumber('--threads', 1))
    .action(async ({ out: folder, data, dataDir, seed, smoke, device: stated, threads }) => {
      const { quickstart, readSummary } = await import('../../app/quickstart.js');
      const out = folder ?? join('runs', data === 'fashion-mnist' ? 'quickstart' : `quickstart-${data}`);
      const choice = { data, ...(dataDir !== undefined && { dataDir }), seed, smoke };
      const done = readSummary({ folder: out, ...choice });
      if (done !== null) {
        print(`This quickstart is already finished; use --out for another one.\n${closing(done)}`);
        return;
      }
      let display: Display = createDisplay();
      const say = (sentence: string) => display.note(sentence);
      const device = await chooseStatedDevice({ device: stated, threads, say });
      const signal = listenForInterrupt((sentence) => display.note(sentence));
      try {
        const summary = await quickstart({
          folder: out,
          ...choice,
          device,
          interrupted: () => signal.aborted,
          onProgress: (progress) => display.progress(progress),
          onTraining(activation, history) {
            display.close();
            display = createDisplay({ history });
            display.note(`Training the network with ${activation === 'relu' ? 'ReLU' : 'SiLU'}`);
            return (event) => display.event(event);
          },
        });
        display.close();
        print(closing(summary));
      } catch (error) {
        throw withSameCommand(error, out);
      } finally {
        display.close();
      }
    });
}

type Network = QuickstartSummary['networks'][number];

/** The accuracies with a caveat, and the path of the report. */
function closing({ report, networks, seconds }: QuickstartSummary): string {
  const [first, second] = networks;
  const line = ({ activation, clean, robust, attacks, epsilon, epsilonText, examples }: Network) =>
    `${activation.padEnd(6)} clean ${percentage(clean)}   under ${attacks.join(' and ')} at ε = ${epsilonText ?? epsilon} ${percentage(robust)}   (${examples} test images)`;
  const difference = first === undefined || second === undefined ? [] : [differenceOf(second, first)];
  return [
    '',
    ...networks.map(line),
    ...difference,
    'a single seed: this demonstrates the method and is no evidence for an activation',
    '',
    `The report, after ${Math.round(seconds)} s: ${pathToFileURL(resolve(report)).href}`,
    '',
  ].join('\n');
}

/** Says it where the smooth network loses, instead of a number with a minus that is easily overlooked. */
function differenceOf(silu: Network, relu: Network): string {
  const points = ((silu.robust - relu.robust) * 100).toFixed(1);
  const loses = silu.robust < relu.robust ? ': no gain from smoothness in this run' : '';
  return `${silu.activation} over ${relu.activation}, robust: ${points} points${loses}`;
}
