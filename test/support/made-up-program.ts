const moduleUrl = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** A program with commands of the test's own, as main.js runs the real ones. */
export const program = `
  import { Command } from '@commander-js/extra-typings';
  import { InputError, RunError } from ${moduleUrl('errors.js')};
  import { runProgram } from ${moduleUrl('cli/program.js')};
  import { wholeNumber } from ${moduleUrl('cli/option-parsers.js')};
  import { listenForInterrupt } from ${moduleUrl('cli/interrupt.js')};
  const entry = (example, load) => ({ summary: 'show ' + example, example, load });
  const failing = (error) => async () => new Command().action(() => { throw error; });
  process.exitCode = await runProgram(process.argv.slice(1), {
    paint: entry('./satin paint blue --coats 2', async () => new Command()
      .argument('<colour>', 'what to paint with')
      .option('--coats <n>', 'layers', wholeNumber('--coats', 1), 1)
      .action((colour, { coats }) => console.log(colour, coats))),
    refuse: entry('./satin refuse', failing(InputError.expected('a brush', 'the tool', 'spoon'))),
    fail: entry('./satin fail', failing(new RunError('non-finite', 'The loss is NaN.'))),
    crash: entry('./satin crash', failing(new TypeError('oops'))),
    broken: entry('./satin broken', async () => { throw new Error('loaded although it is not wanted'); }),
    wait: entry('./satin wait', async () => new Command().option('--stubborn').action(async ({ stubborn }) => {
      const signal = listenForInterrupt();
      console.log('ready');
      while (stubborn || !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
      console.log('written');
      signal.throwIfAborted();
    })),
  });`;
