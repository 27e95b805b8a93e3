import { fastestVariant } from './fastest-variant.js';
import { medianInterval } from './pairs.js';
import { torchVersion } from './rival.js';
import type { BenchOptions, BenchRow } from './row.js';
import { SatinStep, type StepSetting } from './step.js';

/** The steps that are compared on a graphics card, as [network, batch, attack steps]. */
const cells = [
  ['resnet18', 128, 1],
  ['resnet18', 128, 10],
  ['resnet18', 1024, 1],
  ['resnet18', 1024, 10],
  ['resnet50', 64, 1],
] as const;
const precisions = ['float32', 'tf32', 'bfloat16'] as const;
/** Seconds of a turn, so that short disturbances average out. */
const turn = 0.5;

/**
 * Adversarial training steps on a graphics card, compared with the same steps in PyTorch at the same precision, in the
 * fastest of its variants: the two sides alternate. One row per network, batch, attack, activation and precision; then
 * the speed of SiLU relative to ReLU in Satin.
 */
export async function cardTrainStep(
  options: BenchOptions & { readonly device: string },
): Promise<BenchRow[]> {
  const { python, only, note, device, pairs } = options;
  const version = torchVersion(python);
  if (version === null)
    note(`${python} has no torch; measuring Satin only. Choose another Python with --python.`);
  const rows: BenchRow[] = [];
  for (const [architecture, batch, attackSteps] of cells)
    for (const precision of precisions) {
      const base = `train-step/${architecture}/batch-${batch}/pgd-${attackSteps}/${precision}`;
      const speeds = new Map<string, number>();
      for (const activation of ['relu', 'silu'] as const) {
        const name = `${base}/${activation}`;
        if (!only(name)) continue;
        const setting = { architecture, batch, attackSteps, precision, device } as const;
        const row = await raced({ name, activation, setting, version, python, pairs, note });
        speeds.set(activation, row.satin);
        rows.push(row);
        note(`${name}: ${Math.round(row.satin)} img/s, ratio ${row.ratio?.toFixed(2) ?? 'not measured'}`);
      }
      const [relu, silu] = [speeds.get('relu'), speeds.get('silu')];
      if (relu === undefined || silu === undefined) continue;
      const own = { peer: relu, peerName: 'ReLU in Satin', interval: null, runs: pairs };
      rows.push({ name: `${base}/silu-over-relu`, unit: 'img/s', satin: silu, ratio: silu / relu, ...own });
    }
  return rows;
}

async function raced(options: {
  readonly name: string;
  readonly activation: string;
  readonly setting: StepSetting;
  readonly version: string | null;
  readonly python: string;
  readonly pairs: number;
  readonly note: (sentence: string) => void;
}): Promise<BenchRow> {
  const { name, activation, setting, version, python, pairs, note } = options;
  const { batch, architecture: network, attackSteps, precision } = setting;
  const width = 64;
  using satin = new SatinStep(width, activation, { setting });
  satin.run(3); // compiles kernels, records the attack
  const steps = Math.max(1, Math.round(turn / (satin.run(3) / 3)));
  const settings = { width, activation, batch, device: 'cuda', network, attackSteps, precision } as const;
  using peer = version === null ? null : await fastestVariant({ python, version, settings, steps, note });
  const turns: { satin: number; peer: number | null }[] = [];
  for (let pair = 0; pair < pairs; pair++)
    turns.push({ satin: satin.run(steps), peer: (await peer?.rival.run(steps)) ?? null });
  const speed = (seconds: readonly number[]) =>
    medianInterval(seconds.map((each) => (batch * steps) / each)).median;
  const theirs = turns.flatMap((each) => (each.peer === null ? [] : [each.peer]));
  const ratios = turns.flatMap((each) => (each.peer === null ? [] : [each.peer / each.satin]));
  const ratio = ratios.length === 0 ? null : medianInterval(ratios);
  return {
    name,
    unit: 'img/s',
    satin: speed(turns.map((each) => each.satin)),
    peer: ratio === null ? null : speed(theirs),
    peerName: peer?.name ?? null,
    ratio: ratio?.median ?? null,
    interval: ratio?.interval ?? null,
    runs: pairs,
  };
}
