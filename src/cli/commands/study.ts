import { join } from 'node:path';
import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { Row } from '../../../studies/answer.js';
import { scales } from '../../../studies/scales.js';
import { unknownName } from '../../user-input/did-you-mean.js';
import { chooseStatedDevice, deviceOption } from '../device-option.js';
import { listenForInterrupt } from '../interrupt.js';
import { wholeNumber } from '../option-parsers.js';
import { withSameCommand } from '../resume-command.js';
import { columns } from '../terminal/columns.js';
import { percentage, shortTime } from '../terminal/format.js';
import { print } from '../terminal/print.js';
import { createDisplay } from '../terminal/terminal.js';

/** `satin study [NAME]` */
export function studyCommand() {
  return new Command('study')
    .description(
      'Answers a question of the paper by training networks that differ in one thing, several seeds each, and comparing them ' +
        'by the same seed. Without a name: lists the studies. The same command resumes, and does not repeat what is finished.',
    )
    .addArgument(new Argument('[name]', 'which study'))
    .addOption(
      new Option('--scale <name>', `what it is measured on: ${scales.map(scaleText).join('; ')}`)
        .choices(scales.map(({ name }) => name))
        .default('fashion'),
    )
    .option('--seeds <count>', 'seeds of each arm', wholeNumber('--seeds', 1), 3)
    .option('--parallel <count>', 'runs beside each other', wholeNumber('--parallel', 1), 1)
    .option('--examples <count>', 'test images of each evaluation', wholeNumber('--examples', 1), 1000)
    .option('--data-dir <folder>', 'folder of the data set')
    .option('--out <folder>', 'output folder (default: runs/study-NAME-SCALE)')
    .option('--smoke', "the recipe's smoke section and 50 images: a test that shows nothing", false)
    .addOption(deviceOption())
    .option('--threads <count>', 'number of CPU threads of each run', wholeNumber('--threads', 1))
    .action(async (name, options) => {
      const { studies } = await import('../../../studies/catalogue.js');
      if (name === undefined) {
        print(studies.map(({ name, question }) => `${name.padEnd(18)} ${question}\n`).join(''));
        return;
      }
      const study = studies.find((each) => each.name === name);
      if (study === undefined)
        throw unknownName({
          kind: 'the name of a study',
          name: 'study',
          received: name,
          known: studies.map((each) => each.name),
        });
      const { scale: scaleName, seeds, parallel, dataDir, smoke, threads } = options;
      const scale = scales.find((each) => each.name === scaleName)!;
      const out = options.out ?? join('runs', `study-${name}-${scaleName}${smoke ? '-smoke' : ''}`);
      const examples = smoke ? Math.min(50, options.examples) : options.examples;
      const { writeStudy } = await import('../../../studies/write-study.js');
      const display = createDisplay();
      const device = await chooseStatedDevice({ device: options.device, threads, say: display.note });
      const signal = listenForInterrupt(display.note);
      const total = study.arms.length * seeds;
      display.note(
        `${study.arms.length} arms, ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}: ${total} runs in ${out}`,
      );
      const began = performance.now();
      let before: number | null = null;
      try {
        const { page, rows } = await writeStudy({
          study,
          scale,
          recipe: scale.recipe,
          smoke,
          ...(dataDir !== undefined && { dataDir }),
          seeds,
          examples,
          folder: out,
          device,
          ...(threads !== undefined && { threads }),
          parallel,
          signal,
          onRun: ({ arm, seed, clean, robust }, { isNew, done }) => {
            if (!isNew) return;
            before ??= done - 1;
            const left = ((performance.now() - began) / 1000 / (done - before)) * (total - done);
            display.note(
              `${String(done).padStart(3)}/${total}  ${arm}, seed ${seed}: ${percentage(clean)} clean, ${percentage(robust)} robust; ${shortTime(left)} left`,
            );
          },
        });
        display.close();
        print(`\n${tableOf(rows).join('\n')}\n\nThe page is ${page}.\n`);
      } catch (error) {
        throw withSameCommand(error, out);
      } finally {
        display.close();
      }
    });
}

/** One line an arm: mean accuracies, and the difference in robust accuracy with its interval. */
function tableOf(rows: readonly Row[]): string[] {
  const points = (share: number) => `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)}`;
  const lines = rows.map(({ arm, clean, robust, difference }) => {
    const { mean, interval } = difference?.robust ?? { mean: 0, interval: null };
    return [
      arm.name,
      percentage(clean),
      percentage(robust),
      difference === null ? '' : `${points(mean)} against ${arm.against}`,
      interval === null ? '' : `${points(interval[0])} to ${points(interval[1])}`,
    ];
  });
  return columns([['arm', 'clean', 'robust', 'robust, difference', '95 % interval'], ...lines], {
    right: [1, 2],
  });
}

const scaleText = ({ name, description }: (typeof scales)[number]) => `${name} (${description})`;
