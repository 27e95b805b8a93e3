import { RunError } from '../src/errors.js';
import { AttackPeer, type AttackPeerConfiguration, type AttackRun } from './attack-peer.js';
import { AttackedNetwork } from './attacked-network.js';
import type { LayersAlone } from './layers-alone.js';
import { medianInterval } from './pairs.js';
import { torchVersion } from './rival.js';
import type { AttackedOptions, BenchOptions, BenchRow } from './row.js';

/**
 * AutoAttack's standard set compared with its reference implementation: both attack the same slices of images with the
 * same weights, each attack on the images that the previous ones did not break, in alternating order. One row per
 * attack, and one for all.
 */
export async function autoattack(options: BenchOptions): Promise<BenchRow[]> {
  const { attacked, note } = options;
  if (attacked === null) return skipped('autoattack', note);
  const { reference } = attacked;
  if (reference === null) note('No --reference; measuring Satin only.');
  return race(options, attacked, {
    name: 'autoattack',
    attacks: ['apgd-ce', 'apgd-t', 'fab-t', 'square'],
    peer: reference === null ? null : 'auto-attack',
  });
}

/**
 * `pgd-50` compared with the PGD of torchattacks, in the same way; and in L∞ PGD of 200 steps that leaves its cycles with that of
 * torchattacks, which takes every step, and with Satin's own, whose verdicts it must have.
 */
export async function pgd(options: BenchOptions): Promise<BenchRow[]> {
  const { attacked, note } = options;
  if (attacked === null) return skipped('pgd', note);
  const alone = { ...attacked, reference: null };
  const contest = { name: 'pgd', peer: 'torchattacks' };
  const whole = 'pgd-200-step0.25';
  return [
    ...(await race(options, alone, { ...contest, attacks: ['pgd-50'] })),
    ...(await race(options, alone, { ...contest, attacks: [`${whole}-cycles`], whole })),
  ];
}

function skipped(name: string, note: (sentence: string) => void): BenchRow[] {
  note(`${name} is skipped: it needs a network, given by --model.`);
  return [];
}

interface Contest {
  readonly name: string;
  /** Run in sequence, each on the images that the previous ones did not break. */
  readonly attacks: readonly string[];
  /** Name of the peer's implementation; null for none. */
  readonly peer: string | null;
  /** The attack that takes the steps which the only one of `attacks` leaves out; in L∞. */
  readonly whole?: string;
}

/** Results of one slice on both sides. */
interface Turn {
  readonly attacked: number;
  readonly satin: AttackRun;
  readonly peer: AttackRun | null;
}

async function race(
  { python, pairs, only, note, onProgress, device }: BenchOptions,
  { model, reference, images, share, asShipped }: AttackedOptions,
  contest: Contest,
): Promise<BenchRow[]> {
  const version = contest.peer === null ? null : torchVersion(python);
  if (contest.peer !== null && version === null)
    note(`${python} has no torch; measuring Satin only. Choose another Python with --python.`);
  using network = await AttackedNetwork.open(model, pairs * images, device);
  const name = `${contest.name}/${network.name}`;
  const wanted = [...contest.attacks, 'all'].filter((attack) => only(`${name}/${attack}`));
  if (wanted.length === 0) return [];
  if (contest.whole !== undefined && network.norm !== 'linf') {
    note(`${name}/${contest.attacks.join()} is skipped: in ${network.norm} there are no cycles.`);
    return [];
  }
  using peer = version === null ? null : new AttackPeer(python);
  if (peer !== null) {
    await peer.setUp(network.share(reference));
    await requireSameLogits(network, peer);
  }
  const sample = network.right(range(0, Math.min(images, network.count)));
  const first = contest.attacks[0]!;
  const sizes = batches[device === 'cpu' ? 'cpu' : 'cuda'];
  network.batch = await fastest(sizes, async (batch) => {
    network.batch = batch;
    return trial(contest, (attack, part) => network.attack({ attack, rows: sample, share: part }));
  });
  note(`${name}: Satin takes batches of ${network.batch}`);
  let configuration = shipped;
  if (peer !== null && !asShipped) {
    const choices = sizes.flatMap((batch) =>
      [false, true].map((channelsLast) => ({ batch, channelsLast, frozen: true })),
    );
    configuration = await fastest(choices, async (each) => {
      await peer.configure(each);
      return trial(contest, (attack, part) => peer.attack({ attack, rows: sample, share: part }));
    });
    note(`${name}: the fastest peer is ${describe(configuration)}`);
  }
  await peer?.configure(configuration);

  const turns = new Map<string, Turn[]>(contest.attacks.map((attack) => [attack, []]));
  let agreement = 0;
  const steps = { taken: 0, all: 0 };
  for (let slice = 0; slice * images < network.count; slice++) {
    const rows = network.right(range(slice * images, Math.min(network.count, (slice + 1) * images)));
    let [ours, theirs] = [rows, rows];
    for (const [index, attack] of contest.attacks.entries()) {
      const done = slice * contest.attacks.length + index;
      onProgress({ label: `${name}/${attack}`, done, total: pairs * contest.attacks.length });
      const runSatin = () => network.attack({ attack, rows: ours, share });
      const runPeer = async () => (await peer?.attack({ attack, rows: theirs, share })) ?? null;
      const early = slice % 2 === 0 ? runSatin() : null;
      const rival = await runPeer();
      const satin = early ?? runSatin();
      turns.get(attack)!.push({ attacked: ours.length, satin, peer: rival });
      ours = without(ours, satin.broken);
      theirs = without(theirs, rival?.broken ?? []);
    }
    if (contest.whole !== undefined) {
      const whole = network.attack({ attack: contest.whole, rows, share });
      const differ = rows.filter((row) => ours.includes(row) === whole.broken.includes(row)).length;
      if (differ > 0) note(`${name}: ${differ} of ${rows.length} verdicts differ from those of all steps`);
      steps.taken += turns.get(first)!.at(-1)!.satin.backwards;
      steps.all += whole.backwards;
    }
    if (peer === null) continue;
    const both = new Set(ours);
    agreement += rows.filter((row) => both.has(row) === theirs.includes(row)).length / rows.length;
    note(`${name}: ${ours.length} of ${rows.length} are robust, ${theirs.length} for the peer`);
  }
  if (contest.whole !== undefined) {
    const left = ((100 * (steps.all - steps.taken)) / steps.all).toFixed(1);
    note(`${name}: ${left} % of the ${steps.all} backward passes of ${contest.whole} were left out`);
  }
  if (peer !== null) note(`${name}: the verdicts agree on ${((100 * agreement) / pairs).toFixed(1)} %`);
  const peerName =
    peer === null
      ? null
      : `${contest.peer}, torch ${version}, ${asShipped ? 'as shipped, ' : ''}${describe(configuration)}`;
  const alone = network.layersAlone();
  const row = (attack: string, each: readonly Turn[]) =>
    rowOf(each, { name: `${name}/${attack}`, peerName, alone });
  const rows = contest.attacks.map((attack) => row(attack, turns.get(attack)!));
  if (contest.attacks.length > 1) {
    const slices = turns
      .get(first)!
      .map((_, slice) => contest.attacks.map((attack) => turns.get(attack)![slice]!));
    rows.push(row('all', slices.map(together)));
  }
  return rows.filter((each) => only(each.name));
}

const batches = { cpu: [50, 100, 250], cuda: [250, 500, 1000] } as const;
/** Defaults of the reference: its batch size, contiguous format, and weights that require gradients. */
const shipped: AttackPeerConfiguration = { batch: 250, channelsLast: false, frozen: false };

const describe = ({ batch, channelsLast, frozen }: AttackPeerConfiguration) =>
  `batch ${batch}${channelsLast ? ' channels-last' : ''}${frozen ? '' : ' unfrozen'}`;

/** Seconds of a few steps, with forward and backward passes in about the proportions of a full run. */
async function trial(
  { attacks }: Contest,
  attack: (name: string, share: number) => AttackRun | Promise<AttackRun>,
): Promise<number> {
  let seconds = 0;
  for (let run = 0; run < 2; run++) {
    const gradients = await attack(attacks[0]!, 0.02);
    const queries = attacks.includes('square') ? await attack('square', 0.001) : null;
    const took = gradients.seconds + (queries?.seconds ?? 0);
    seconds = run === 0 ? took : Math.min(seconds, took);
  }
  return seconds;
}

/** The fastest choice. */
async function fastest<Choice>(
  choices: readonly Choice[],
  measure: (choice: Choice) => Promise<number>,
): Promise<Choice> {
  const tried: { readonly choice: Choice; readonly seconds: number }[] = [];
  for (const choice of choices) tried.push({ choice, seconds: await measure(choice) });
  return tried.reduce((best, each) => (each.seconds < best.seconds ? each : best)).choice;
}

/** @throws {RunError} if the logits of the two sides differ. */
async function requireSameLogits(network: AttackedNetwork, peer: AttackPeer): Promise<void> {
  const count = Math.min(8, network.count);
  const [ours, theirs] = [network.logits(count).flat(), (await peer.logits(count)).flat()];
  const largest = Math.max(...ours.map((each, index) => Math.abs(each - theirs[index]!)));
  if (!(largest <= 1e-3)) throw new RunError('bench', `The peer's logits differ from Satin's by ${largest}.`);
}

function rowOf(
  turns: readonly Turn[],
  { name, peerName, alone }: { name: string; peerName: string | null; alone: LayersAlone | null },
): BenchRow {
  const speed = (of: (turn: Turn) => number) =>
    medianInterval(turns.map((turn) => turn.attacked / Math.max(1e-9, of(turn)))).median;
  const raced = turns.flatMap(({ satin, peer }) => (peer === null ? [] : [{ satin, peer }]));
  const sum = (of: (run: AttackRun) => number) => turns.reduce((total, { satin }) => total + of(satin), 0);
  const least =
    alone &&
    sum(({ forwards }) => forwards) * alone.forward + sum(({ backwards }) => backwards) * alone.backward;
  const base = {
    name,
    unit: 'img/s',
    satin: speed(({ satin }) => satin.seconds),
    runs: turns.length,
    ...(least !== null && { layersAlone: least / sum(({ seconds }) => seconds) }),
  };
  if (raced.length === 0) return { ...base, peer: null, peerName: null, ratio: null, interval: null };
  const { median, interval } = medianInterval(raced.map(({ satin, peer }) => peer.seconds / satin.seconds));
  const passes = (of: (turn: (typeof raced)[number]) => AttackRun) => ({
    forwards: raced.reduce((sum, turn) => sum + of(turn).forwards, 0),
    backwards: raced.reduce((sum, turn) => sum + of(turn).backwards, 0),
  });
  return {
    ...base,
    peer: speed(({ peer }) => peer?.seconds ?? 0),
    peerName,
    ratio: median,
    interval,
    passes: { satin: passes(({ satin }) => satin), peer: passes(({ peer }) => peer) },
  };
}

/** Combines the attacks of one slice. */
function together(turns: readonly Turn[]): Turn {
  const sum = (runs: readonly AttackRun[]): AttackRun => ({
    seconds: runs.reduce((total, run) => total + run.seconds, 0),
    forwards: runs.reduce((total, run) => total + run.forwards, 0),
    backwards: runs.reduce((total, run) => total + run.backwards, 0),
    broken: runs.flatMap((run) => run.broken),
  });
  const peers = turns.flatMap(({ peer }) => (peer === null ? [] : [peer]));
  return {
    attacked: turns[0]!.attacked,
    satin: sum(turns.map(({ satin }) => satin)),
    peer: peers.length === turns.length ? sum(peers) : null,
  };
}

const range = (begin: number, end: number) =>
  Array.from({ length: end - begin }, (_, index) => begin + index);

function without(rows: readonly number[], removed: readonly number[]): number[] {
  const excluded = new Set(removed);
  return rows.filter((row) => !excluded.has(row));
}
