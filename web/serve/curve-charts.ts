import uPlot from 'uplot';
import type { Curves, EpochRecord } from '../../src/serve/api.js';
import type { ChartData, Line } from './chart.js';

/** What x counts. */
export type XKind = 'epoch' | 'step' | 'hours';

export const xKinds: readonly XKind[] = ['epoch', 'step', 'hours'];

/** The curves of one run, and how they are drawn. */
export interface RunCurves {
  readonly name: string;
  readonly colour: string;
  readonly dash?: readonly number[];
  readonly curves: Curves;
  readonly epochs: readonly EpochRecord[];
}

type Quantity = 'loss' | 'accuracy' | 'learningRate' | 'imagesPerSecond' | 'epsilon';

/** x of a bucket. */
function xOf({ step, seconds, stepsPerEpoch }: Curves, kind: XKind): readonly number[] {
  if (kind === 'hours') return seconds.map((each) => each / 3600);
  if (kind === 'epoch' && stepsPerEpoch !== null) return step.map((each) => each / stepsPerEpoch);
  return step;
}

/** x of a completed epoch: where its last step lies. */
function xOfEpochs({ curves, epochs }: RunCurves, kind: XKind): readonly number[] {
  if (kind === 'epoch') return epochs.map(({ epoch }) => epoch);
  if (kind === 'step') return epochs.map(({ step }) => step);
  return epochs.map(({ step }) => {
    const after = curves.step.findIndex((each) => each >= step);
    return (curves.seconds[after < 0 ? curves.seconds.length - 1 : after] ?? 0) / 3600;
  });
}

/** A quantity of every step, with its band for a single run. */
export function stepChart(
  runs: readonly RunCurves[],
  { quantity, x, names }: { readonly quantity: Quantity; readonly x: XKind; readonly names?: string },
): ChartData {
  return joined(
    runs.map((run) => {
      const values = run.curves[quantity];
      const isBand = 'mean' in values;
      const line = { name: names ?? run.name, colour: run.colour, ...(run.dash && { dash: run.dash }) };
      return {
        x: xOf(run.curves, x),
        lines: [
          isBand && runs.length === 1 && run.curves.stepsPerBucket > 1
            ? { ...line, values: values.mean, band: values }
            : { ...line, values: isBand ? values.mean : values },
        ],
      };
    }),
  );
}

/** A measurement of every epoch, in several runs. */
export function epochChart(
  runs: readonly RunCurves[],
  { x, pick }: { readonly x: XKind; readonly pick: (record: EpochRecord) => number | null },
): ChartData {
  return joined(
    runs.map((run) => ({
      x: xOfEpochs(run, x),
      lines: [
        {
          name: run.name,
          colour: run.colour,
          ...(run.dash && { dash: run.dash }),
          values: run.epochs.map(pick),
          isSparse: true,
        },
      ],
    })),
  );
}

/** The loss of one run: of each step, and its mean over each epoch. */
export function lossChart(run: RunCurves, x: XKind): ChartData {
  const { mean, low, high } = run.curves.loss;
  const means = run.epochs.map(({ measurements }) => measurements['train/loss'] ?? null);
  return joined([
    {
      x: xOf(run.curves, x),
      lines: [
        {
          name: 'training batches, attacked',
          colour: 'var(--tint)',
          values: mean,
          isThin: true,
          ...(run.curves.stepsPerBucket > 1 && { band: { low, high } }),
        },
      ],
    },
    {
      x: xOfEpochs(run, x),
      lines: [{ name: 'mean of the epoch', colour: 'var(--series1)', values: means, isSparse: true }],
    },
  ]);
}

/** The accuracies of one run: of the validation after each epoch, and on the attacked images of each step. */
export function accuracyChart(run: RunCurves, x: XKind): ChartData {
  const measured = (name: string, colour: string, pick: (record: EpochRecord) => number | null) => ({
    x: xOfEpochs(run, x),
    lines: [{ name, colour, values: run.epochs.map(pick), isSparse: true }],
  });
  return joined([
    {
      x: xOf(run.curves, x),
      lines: [
        {
          name: 'training batches, attacked',
          colour: 'var(--muted)',
          values: run.curves.accuracy.mean,
          isThin: true,
        },
      ],
    },
    measured('validation, clean', 'var(--series1)', cleanOf),
    measured('validation, robust', 'var(--series0)', robustOf),
  ]);
}

/** The accuracies on the guard's images; undefined for a run without a guard. */
export function guardChart(run: RunCurves, x: XKind): ChartData | undefined {
  const names = [
    ...new Set(
      run.epochs.flatMap(({ measurements }) =>
        Object.keys(measurements).filter((name) => name.startsWith('train/robust/')),
      ),
    ),
  ];
  if (names.length === 0) return undefined;
  return {
    x: xOfEpochs(run, x),
    lines: names.map((name, index) => ({
      name: name.split('/').at(-1)!,
      colour: `var(--series${(index + 2) % 6})`,
      values: run.epochs.map(({ measurements }) => measurements[name] ?? null),
      isSparse: true,
    })),
  };
}

export function cleanOf({ measurements }: EpochRecord): number | null {
  return measurements['validation/clean'] ?? null;
}

export function robustOf({ measurements }: EpochRecord): number | null {
  const name = Object.keys(measurements).find((each) => each.startsWith('validation/robust/'));
  return name === undefined ? null : (measurements[name] ?? null);
}

/** Tables of different x as one; bands are joined like lines. */
function joined(parts: readonly ChartData[]): ChartData {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const tables = parts.map(({ x, lines }) => [
    x,
    ...lines.flatMap(({ values, band }) => (band === undefined ? [values] : [values, band.low, band.high])),
  ]);
  const [x, ...columns] = uPlot.join(tables as unknown as uPlot.AlignedData[]) as unknown as [
    number[],
    ...(number | null | undefined)[][],
  ];
  let next = 0;
  const column = () => (columns[next++] ?? []).map((value) => value ?? null);
  return {
    x,
    // A joined line has gaps where only the others have points.
    lines: parts.flatMap(({ lines }) =>
      lines.map(({ band, ...line }): Line => {
        const values = column();
        if (band === undefined) return { ...line, values, isJoined: true };
        return { ...line, values, band: { low: column(), high: column() }, isJoined: true };
      }),
    ),
  };
}
