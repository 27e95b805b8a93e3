import { join } from 'node:path';
import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { Row } from '../../../studies/answer.js';
import { scales } from '../../../studies/scales.js';
import type { Study } from '../../../studies/study.js';
import type { Precision } from '../../engine/precision-name.js';
import { InputError } from '../../errors.js';
import { unknownName } from '../../user-input/did-you-mean.js';
import { chooseStatedDevice, deviceOption, precisionOption } from '../device-option.js';
import { listenForInterrupt } from '../interrupt.js';
import { wholeNumber } from '../option-parsers.js';
import { withSameCommand } from '../resume-command.js';
import { columns } from '../terminal/columns.js';
import { percentage, shortTime } from '../terminal/format.js';
import { print } from '../terminal/print.js';
import { createDisplay } from '../terminal/terminal.js';
import { wrapped } from '../terminal/wrapped.js';

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
    .option(
      '--arms <names>',
      'only these arms, separated by commas; the page keeps the others that are finished',
      names,
    )
    .option('--parallel <count>', 'runs beside each other', wholeNumber('--parallel', 1), 1)
    .option(
      '--examples <count>',
      'test images of each evaluation (default: 1000; of sanity: 200)',
      wholeNumber('--examples', 1),
    )
    .option('--autoattack', "also measure the first seed of each arm by AutoAttack's standard set", false)
    .option('--data-dir <folder>', 'folder of the data set')
    .option('--note <text>', 'what the page says of the data, such as: a copy as JPEG files')
    .option(
      '--out <folder>',
      'output folder, which studies of one scale can share (default: runs/studies-SCALE)',
    )
    .option(
      '--smoke',
      "the recipe's smoke section, 50 images and a weak attack: a test that shows nothing",
      false,
    )
    .addOption(deviceOption())
    .addOption(precisionOption())
    .option('--threads <count>', 'number of CPU threads of each run', wholeNumber('--threads', 1))
    .action(async (name, options) => {
      const { studies } = await import('../../../studies/catalogue.js');
      if (name === 'sanity') return sanity(options);
      if (name === undefined) {
        print(`${[...listOf(studies), sanityText].join('\n\n')}\n`);
        return;
      }
      const study = studies.find((each) => each.name === name);
      if (study === undefined)
        throw unknownName({
          kind: 'the name of a study',
          name: 'study',
          received: name,
          known: [...studies.map((each) => each.name), 'sanity'],
        });
      const {
        scale: scaleName,
        seeds,
        arms,
        parallel,
        autoattack,
        precision,
        dataDir,
        smoke,
        threads,
        note,
      } = options;
      const scale = scales.find((each) => each.name === scaleName)!;
      const out = options.out ?? join('runs', `studies-${scaleName}${smoke ? '-smoke' : ''}`);
      const { runStudy } = await import('../../../studies/run-study.js');
      const { writeStudy } = await import('../../../studies/write-study.js');
      const display = createDisplay();
      const device = await chooseStatedDevice({ device: options.device, threads, say: display.note });
      const signal = listenForInterrupt(display.note);
      const setting = {
        study,
        recipe: scale.recipe,
        smoke,
        ...(dataDir !== undefined && { dataDir }),
        folder: out,
      };
      const began = performance.now();
      let [done, ran, total] = [0, 0, 0];
      try {
        await runStudy({
          ...setting,
          ...(arms !== undefined && { arms }),
          seeds,
          examples: Math.min(options.examples ?? 1000, smoke ? 50 : Infinity),
          attacks: smoke ? smokeAttacks : studyAttacks,
          autoattack,
          precision: precision ?? 'float32',
          note: note ?? null,
          device,
          ...(threads !== undefined && { threads }),
          parallel,
          signal,
          onPlan: (plan) => {
            [done, total] = [plan.finished, plan.total];
            display.note(`${total} runs in ${out}, ${done} of them finished`);
          },
          onRun: async ({ arms, seed }, { test, validation }) => {
            done += 1;
            ran += 1;
            const left = ((performance.now() - began) / 1000 / ran) * (total - done);
            const { clean, robust } = test ?? validation;
            display.note(
              `${String(done).padStart(3)}/${total}  ${arms.join(' = ')}, seed ${seed}: ${percentage(clean)} clean, ` +
                `${percentage(robust)} robust${test === null ? ' on validation images' : ''}; ${shortTime(left)} left`,
            );
            await writeStudy({ ...setting, scale });
          },
        });
        const written = await writeStudy({ ...setting, scale });
        display.close();
        if (written !== null)
          print(`\n${tableOf(written.rows).join('\n')}\n\nThe page is ${written.page}.\n`);
      } catch (error) {
        throw withSameCommand(error, out);
      } finally {
        display.close();
      }
    });
}

/** `satin study sanity`: looks for signs of failing attacks in networks of the study `activations`. */
async function sanity(options: {
  readonly scale: string;
  readonly seeds: number;
  readonly examples?: number;
  readonly dataDir?: string;
  readonly out?: string;
  readonly smoke: boolean;
  readonly device?: string;
  readonly threads?: number;
  readonly arms?: readonly string[];
  readonly autoattack: boolean;
  readonly note?: string;
  readonly parallel: number;
  readonly precision?: Precision;
}): Promise<void> {
  const { seeds, smoke, dataDir, threads } = options;
  const { arms, note, precision } = options;
  const others = { arms, note, precision, autoattack: options.autoattack || undefined };
  const given = Object.entries(others).find(([, value]) => value !== undefined);
  if (given !== undefined || options.parallel !== 1)
    throw InputError.expected(
      `no \`${given?.[0] ?? 'parallel'}\``,
      'the study sanity, which has networks and attacks of its own,',
      given?.[1] ?? options.parallel,
    );
  const scale = scales.find((each) => each.name === options.scale)!;
  const folder = options.out ?? join('runs', `studies-${scale.name}${smoke ? '-smoke' : ''}`);
  const { fullPlan, runSanity, smokePlan } = await import('../../../studies/sanity/run-sanity.js');
  const { writeSanity } = await import('../../../studies/sanity/page.js');
  const { findings } = await import('../../../studies/sanity/checks.js');
  const display = createDisplay();
  const device = await chooseStatedDevice({ device: options.device, threads, say: display.note });
  try {
    await runSanity({
      recipe: scale.recipe,
      smoke,
      ...(dataDir !== undefined && { dataDir }),
      seeds,
      examples: Math.min(options.examples ?? 200, smoke ? 20 : Infinity),
      folder,
      device,
      threads,
      plan: smoke ? smokePlan : fullPlan,
      signal: listenForInterrupt(display.note),
      onNetwork: (checks, { done, total }) => {
        display.note(`${done}/${total}  ${checks.activation}, seed ${checks.seed}`);
        for (const { question, answer, isSound } of findings(checks))
          display.note(`  ${isSound ? 'yes' : 'NO '}  ${question} ${answer}`);
      },
    });
    const words = `--scale ${scale.name}${dataDir === undefined ? '' : ' --data-dir FOLDER'} --seeds ${seeds}`;
    const page = await writeSanity(folder, {
      command: `./satin study sanity ${words}${smoke ? ' --smoke' : ''}`,
      scale: scale.description,
    });
    display.close();
    print(`\nThe page is ${page}.\n`);
  } catch (error) {
    throw withSameCommand(error, folder);
  } finally {
    display.close();
  }
}

/** The paper's attack first, which meets all images that are classified correctly; then the worst case. */
const studyAttacks = ['pgd-200-paper', 'apgd-ce', 'apgd-t'];
const smokeAttacks = ['pgd-5-paper'];

/** `relu,silu` as a list. */
const names = (text: string) => text.split(',').map((each) => each.trim());

/** Each study with its question in lines that fit, and its arms. */
function listOf(studies: readonly Study[]): string[] {
  return studies.map(({ name, question, arms }) =>
    [name, ...wrapped(question), ...wrapped(`arms: ${arms.map((arm) => arm.name).join(', ')}`)].join('\n'),
  );
}

const sanityText = [
  'sanity',
  ...wrapped(
    'Is the robust accuracy a property of the networks, or a failure of the attacks? More steps, larger ε, a black box, transfer and the loss surface.',
  ),
].join('\n');

/** One line an arm: mean accuracies, and the difference in robust accuracy with its interval. */
function tableOf(rows: readonly Row[]): string[] {
  const points = (share: number) => `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)}`;
  const lines = rows.map(({ arm, seeds, clean, robust, difference }) => {
    const { mean, interval } = difference?.robust ?? { mean: 0, interval: null };
    return [
      arm.name,
      String(seeds),
      percentage(clean),
      percentage(robust),
      difference === null ? '' : `${points(mean)} against ${arm.against}`,
      interval === null ? '' : `${points(interval[0])} to ${points(interval[1])}`,
    ];
  });
  return columns([['arm', 'n', 'clean', 'robust', 'robust, difference', '95 % interval'], ...lines], {
    right: [1, 2, 3],
    optional: 1,
  });
}

const scaleText = ({ name, description }: (typeof scales)[number]) => `${name} (${description})`;
