import type { RunEvent } from '../../runs/events.js';
import { stoppedEarly } from '../../runs/stopped-early.js';
import { percentage, rate, shortTime } from './format.js';
import type { BarState } from './progress-bar.js';

/** Output for an event of a training run: a table row, a progress bar, a note, or nothing. */
export type Shown =
  | { readonly kind: 'row'; readonly text: string }
  | { readonly kind: 'bar'; readonly bar: BarState }
  | { readonly kind: 'note' | 'warning'; readonly text: string }
  | undefined;

const widths = [7, 9, 9, 8, 8, 11];

/** Header of the epoch table; rows are 52 characters wide. */
export const tableHeader = tableRow(['epoch', 'img/s', 'loss', 'clean', 'robust', 'time left']);

/**
 * Creates a stateful formatter of the events of a run, whose epochs count from 1. The time left includes `epochsAfter` epochs of
 * runs that follow.
 */
export function formatTraining({
  epochsAfter = 0,
}: {
  readonly epochsAfter?: number;
} = {}): (event: RunEvent) => Shown {
  let epochs = 0;
  let stepsPerEpoch = 0;
  let epochSeconds: number[] = [];
  /** The accuracies that select the best epoch, in epoch order. */
  let chosenBy: { readonly epoch: number; readonly measure: string; readonly accuracy: number }[] = [];
  /** Steps of the current epoch. */
  let steps: Extract<RunEvent, { type: 'step' }>[] = [];

  const showStep = (event: Extract<RunEvent, { type: 'step' }>): Shown => {
    if (steps[0]?.epoch !== event.epoch) steps = [];
    steps.push(event);
    const [first = event] = steps;
    const done = ((event.step - 1) % Math.max(1, stepsPerEpoch)) + 1;
    const seconds = (Date.parse(event.time) - Date.parse(first.time)) / 1000;
    const perStep = seconds / (event.step - first.step);
    // Of the whole run, as in the table: later epochs take what the earlier ones took, with their validation.
    const perEpoch = mean(epochSeconds) ?? perStep * stepsPerEpoch;
    const left = perStep * (stepsPerEpoch - done) + perEpoch * (epochs - event.epoch + epochsAfter);
    const details = [`loss ${event.loss.toFixed(3)}`, `${rate(event.imagesPerSecond)} img/s`];
    if (event.step > first.step) details.unshift(`${shortTime(left)} left`);
    return {
      kind: 'bar',
      bar: { label: `epoch ${event.epoch}/${epochs}`, done, total: stepsPerEpoch, details },
    };
  };

  const showEpoch = (event: Extract<RunEvent, { type: 'epoch' }>): Shown => {
    epochSeconds.push(event.seconds);
    const speed = mean(steps.map((step) => step.imagesPerSecond));
    steps = [];
    const { 'train/loss': loss, 'validation/clean': clean, ...others } = event.measurements;
    const robust = Object.entries(others).find(([name]) => name.startsWith('validation/robust/'))?.[1];
    // The last measurement selects the best epoch.
    const [name = '', accuracy] = Object.entries(event.measurements).at(-1) ?? [];
    if (name.startsWith('validation/') && accuracy !== undefined)
      chosenBy.push({ epoch: event.epoch, measure: inWords(name), accuracy });
    const left = (mean(epochSeconds) ?? Number.NaN) * (epochs - event.epoch + epochsAfter);
    const text = tableRow([
      `${event.epoch}/${epochs}`,
      speed === undefined ? '-' : rate(speed),
      loss === undefined ? '-' : loss.toFixed(4),
      percentage(clean),
      percentage(robust),
      shortTime(left),
    ]);
    return { kind: 'row', text };
  };

  /** A note on overfitting; empty if no epoch was better than the last one. */
  const bestAgainstLast = (): string => {
    const last = chosenBy.at(-1);
    const best = chosenBy.reduce<typeof last>(
      (best, each) => (best === undefined || each.accuracy > best.accuracy ? each : best),
      undefined,
    );
    if (best === undefined || last === undefined || best.accuracy === last.accuracy) return '';
    return (
      ` Best after epoch ${best.epoch}: ${percentage(best.accuracy)} ${best.measure}; last epoch: ` +
      `${percentage(last.accuracy)}. The best weights are saved and used by evaluate.`
    );
  };

  return (event) => {
    switch (event.type) {
      case 'start':
        ({ epochs, stepsPerEpoch } = event);
        epochSeconds = [];
        chosenBy = [];
        return event.device === undefined ? undefined : { kind: 'note', text: `Training${placeOf(event)}.` };
      case 'resume':
        return {
          kind: 'note',
          text: `Resumed at step ${event.step}, in epoch ${event.epoch}${placeOf(event)}.`,
        };
      case 'step':
        return showStep(event);
      case 'epoch':
        return showEpoch(event);
      case 'warning':
        return event.step === 0
          ? { kind: 'warning', text: event.message }
          : { kind: 'note', text: `Step ${event.step}: ${event.message}` };
      case 'end': {
        const trained = `Trained ${event.epoch} ${event.epoch === 1 ? 'epoch' : 'epochs'} in ${shortTime(event.seconds)}.`;
        const early = stoppedEarly(event);
        return {
          kind: 'note',
          text: `${trained}${early === null ? '' : ` ${early}`}${bestAgainstLast()}`,
        };
      }
      // The error that ends the command reports the last two; checkpoints are not shown.
      case 'checkpoint':
      case 'interrupted':
      case 'failed':
        return undefined;
    }
  };
}

/** ` on cuda:0 (NVIDIA H100 80GB HBM3) in float32` */
function placeOf({ device, card, precision }: Extract<RunEvent, { type: 'start' | 'resume' }>): string {
  if (device === undefined) return '';
  return ` on ${device}${card == null ? '' : ` (${card})`}${precision === undefined ? '' : ` in ${precision}`}`;
}

/** Describes a measurement: `validation/robust/linf-0.1/pgd-10` or `validation/clean`. */
function inWords(measurement: string): string {
  return measurement === 'validation/clean' ? 'clean' : `under ${measurement.split('/').at(-1)}`;
}

function tableRow(cells: readonly string[]): string {
  return cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('');
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
