import { Command } from '@commander-js/extra-typings';
import { print } from '../terminal/print.js';

/** `satin doctor` */
export function doctorCommand() {
  return new Command('doctor').action(async () => {
    const { examine } = await import('../../app/doctor.js');
    for (const { name, value, advice } of await examine())
      print(`${name.padEnd(16)} ${value}\n${advice === undefined ? '' : `${' '.repeat(17)}${advice}\n`}`);
  });
}
