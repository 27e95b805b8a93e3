import { Command } from '@commander-js/extra-typings';
import { type Fact, facts } from '../terminal/facts.js';
import { print } from '../terminal/print.js';

/** `satin doctor` */
export function doctorCommand() {
  return new Command('doctor').action(async () => {
    const { examine } = await import('../../app/doctor.js');
    const found = (await examine()).flatMap(({ name, value, advice }): Fact[] => [
      [name, value],
      ...(advice === undefined ? [] : [['', advice] as const]),
    ]);
    print(`${facts(found).join('\n')}\n`);
  });
}
