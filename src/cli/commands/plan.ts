import { Command, Option } from '@commander-js/extra-typings';
import type { Plan, PlanOptions } from '../../app/plan/plan.js';
import { isDeviceName } from '../../engine/device-name.js';
import { InputError } from '../../errors.js';
import { loadRecipe, recipeNames } from '../../recipe/load-recipe.js';
import type { Recipe } from '../../recipe/recipe.js';
import { several, wholeNumber } from '../option-parsers.js';
import { facts } from '../terminal/facts.js';
import { rate, shortTime } from '../terminal/format.js';
import { createDisplay } from '../terminal/terminal.js';
import { requireJsonPath, writeResult } from '../write-result.js';

const bases: Readonly<Record<Plan['basis'], string>> = {
  'measured steps': 'measured steps',
  'measured layers': 'measured layers',
  'data sheet': 'data sheet, not measured',
};

/** Names of the devices in `plan/devices.ts`, which is not imported here because it is loaded with the engine. */
export const devicesOfTable = ['h100', 'a100', 'l40s', 'v100'] as const;

type PlannedDevice = NonNullable<PlanOptions['device']>;

function plannedDevice(text: string): PlannedDevice {
  const ofTable = devicesOfTable.find((name) => name === text);
  if (ofTable !== undefined) return ofTable;
  if (isDeviceName(text)) return text;
  throw InputError.expected(`cpu, cuda, cuda:N or one of ${devicesOfTable.join(', ')}`, '--device', text);
}

/** `satin plan RECIPE` */
export function planCommand() {
  return new Command('plan')
    .description(
      'Estimates parameters, multiply-accumulates, memory and time of a run. On a device of this machine it times some ' +
        'steps on random images, or single layers if the network is huge; data loading is not included. For other ' +
        'devices it uses the data sheet, which no run has confirmed yet.',
    )
    .argument('<recipe>', `a YAML file, or one of ${recipeNames().join(', ')}`)
    .option('--set <path=value>', 'change one value of the recipe; repeatable', several)
    .option('--smoke', "apply the recipe's smoke section, or take four steps", false)
    .addOption(
      new Option(
        '--device <device>',
        `cpu, cuda or cuda:N of this machine, or another device: ${devicesOfTable.join(', ')} (default: the recipe's, else a graphics card of this machine if there is one)`,
      ).argParser(plannedDevice),
    )
    .option('--count <count>', 'number of devices that share each batch', wholeNumber('--count', 1), 1)
    .option('--threads <count>', 'number of CPU threads', wholeNumber('--threads', 1))
    .option('--json <file>', 'write the plan as JSON to a file, or - for standard output')
    .action(async (recipeName, { set = [], smoke, device, count, threads, json }) => {
      requireJsonPath(json);
      const display = createDisplay();
      const recipe = loadRecipe(recipeName, {
        set: [...set, ...(threads === undefined ? [] : [`threads=${threads}`])],
        smoke,
        onNote: display.note,
      });
      // Imported after validation, since this loads the engine.
      const { plan } = await import('../../app/plan/plan.js');
      const planned = await plan(recipe, {
        ...(device !== undefined && { device }),
        count,
        onProgress: display.progress,
      }).finally(display.close);
      writeResult({ recipe: recipe.name, ...planned }, { json, table: table(recipe, planned) });
    });
}

function table({ name, training }: Recipe, plan: Plan): string {
  const { perImage, memory, deviceMemory, hours, count } = plan;
  const need = memory.weights + memory.activations;
  const passes = [
    [perImage.forward, 'forward'],
    [perImage.attack, 'in the attack'],
    [perImage.update, perImage.update === 1 ? 'update' : 'updates'],
  ] as const;
  const lines = facts([
    [
      'network',
      `${millions(plan.parameters)} parameters, ${millions(plan.macs)} multiply-accumulates per image`,
    ],
    [
      'training',
      `${plan.steps.toLocaleString('en')} steps of ${plan.batch} images, of ${plan.images.toLocaleString('en')}`,
    ],
    [
      'passes',
      `${passes
        .filter(([times]) => times > 0)
        .map(([times, what]) => `${times} ${what}`)
        .join(', ')} per image`,
    ],
    [
      'memory',
      `${size(memory.weights)} weights, gradients, momentum; ${size(memory.activations)} activations of a batch`,
    ],
    [
      'device',
      `${count > 1 ? `${count} times ` : ''}${plan.device}${count > 1 ? '; communication not included' : ''}`,
    ],
    ['speed', `${rate(plan.imagesPerSecond)} img/s (${bases[plan.basis]})`],
    // Fewer epochs, if patience ends it.
    [
      'time',
      `${training.patience === null ? '' : 'at most '}${duration(hours.training)} of training, at most ${duration(hours.validation)} of validation`,
    ],
  ]);
  if (deviceMemory !== null && need > deviceMemory)
    lines.push(
      `\nThis exceeds the device memory of ${size(deviceMemory)}: increase --count or training.accumulate.`,
    );
  return `${name}\n${lines.join('\n')}\n`;
}

const millions = (count: number) =>
  `${(count / 1e6).toLocaleString('en', { maximumFractionDigits: count < 1e7 ? 2 : 0 })} M`;

const size = (bytes: number) =>
  bytes < 2 ** 30 ? `${Math.max(1, Math.round(bytes / 2 ** 20))} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;

const duration = (hours: number) => shortTime(hours * 3600);
