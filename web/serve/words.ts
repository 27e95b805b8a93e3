import { count, duration, percent } from '../../src/report/page/format.js';
import type { RunStatus, RunSummary } from '../../src/serve/api.js';

/** Numbers and states in words; what is not known is a dash. */
export const unknown = '–';

export function percentOr(share: number | null | undefined): string {
  return share == null ? unknown : percent(share);
}

export function durationOr(seconds: number | null | undefined): string {
  return seconds == null || !Number.isFinite(seconds) ? unknown : duration(seconds);
}

export function countOr(value: number | null | undefined): string {
  return value == null ? unknown : count(Math.round(value));
}

/** Four significant digits. */
export function short(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return unknown;
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** `3 min ago` */
export function ago(iso: string | null): string {
  const seconds = iso === null ? Number.NaN : (Date.now() - Date.parse(iso)) / 1000;
  if (!Number.isFinite(seconds)) return unknown;
  const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ];
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
  for (const [unit, length] of units)
    if (seconds >= length) return format.format(-Math.floor(seconds / length), unit);
  return 'just now';
}

export const statusWords: Readonly<Record<RunStatus, string>> = {
  training: 'training',
  finished: 'finished',
  interrupted: 'interrupted',
  failed: 'failed',
  stale: 'stale',
};

export const statusMeaning: Readonly<Record<RunStatus, string>> = {
  training: 'Its process gives signs of life.',
  finished: 'Its training is done.',
  interrupted: 'Stopped by Ctrl-C or SIGTERM; the last checkpoint continues it.',
  failed: 'It ended with an error; see its messages.',
  stale: 'It neither ended nor gives a sign of life: killed, or copied from elsewhere.',
};

/** What the state of a run means; of a finished one, whether that was before its last epoch. */
export function stateWords({ status, epoch, epochs }: RunSummary): string {
  const isEarly = status === 'finished' && epochs !== null && epoch < epochs;
  return isEarly ? 'It stopped early: no epoch was better within its patience.' : statusMeaning[status];
}

/** `epoch 5 of 8` */
export function epochWords({ epoch, epochs }: RunSummary): string {
  return epochs === null ? `epoch ${count(epoch)}` : `epoch ${count(epoch)} of ${count(epochs)}`;
}

/** Completed share of all steps. */
export function shareDone({ status, step, epochs, stepsPerEpoch }: RunSummary): number {
  if (status === 'finished') return 1;
  if (epochs === null || stepsPerEpoch === null) return 0;
  return Math.min(1, step / (epochs * stepsPerEpoch));
}

/** `silu · resnet18 · pgd · cifar10` */
export function runFacts({ activation, architecture, objective, data }: RunSummary): string {
  return [activation, architecture, objective, data].filter((each) => each !== null).join(' · ');
}
