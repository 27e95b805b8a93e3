/**
 * Verdict parity: Satin's AutoAttack and the reference (fra31/auto-attack, which is not part of this project) on the same
 * networks and the same images, example by example. docs/autoattack.md has the table and explains it. PARITY is a
 * folder of your own, REFERENCE a checkout of the reference, PYTHON one with torch, numpy and safetensors:
 *
 *   for each of relu, l2:            ./satin train scripts/parity/NAME.yaml --out PARITY/nets/NAME
 *   for each of silu, smooth-relu:   the same with --set data.dir=DIR, CIFAR-10 as DIR/train/airplane/0000.jpg and so on
 *   node scripts/parity/arrays.mjs PARITY NAME [DIR]     images, labels and Satin's logits, for both sides
 *   node scripts/parity/run.mjs PARITY REFERENCE PYTHON  all runs, for hours; the same command resumes them
 *   node scripts/parity/collect.mjs PARITY               verdicts -> test/golden/parity/NAME.json
 *   node scripts/parity/table.mjs                        verdicts -> the table in docs/autoattack.md
 *
 * Weights and images are not committed; digests of both are, with every verdict. This file says what is run.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * weights: PARITY/nets/NAME; levels: pixels are rounded to multiples of 1/levels first, which leaves no gradient; runs: which,
 * where not all are of interest; images: at most so many in any run.
 */
export const networks = JSON.parse(readFileSync(new URL('networks.json', import.meta.url), 'utf8'));

export const attacks = ['apgd-ce', 'apgd-t', 'fab-t', 'square'];

/** Number of images per run. `standard` is all four attacks, each on the images not yet broken. */
export const runs = { standard: 500, 'apgd-ce': 200, 'apgd-t': 200, 'fab-t': 200, square: 200 };

/** Number of images for a run of a network. */
export const imagesOf = (network, run) => Math.min(runs[run], networks[network].images ?? runs[run]);

/** The runs of a network. */
export const runsOf = (network) => networks[network].runs ?? Object.keys(runs);

/** Images of one job. The reference draws its random numbers anew for each, as it does for each of its batches. */
export const slice = 50;

/** Letter for each verdict: misclassified without an attack, broken by an attack, or not broken. */
export const letters = {
  clean: '-',
  'apgd-ce': 'c',
  'apgd-t': 't',
  'fab-t': 'f',
  square: 's',
  standing: '.',
};

/** Where a job writes its verdicts; its adversarial images are next to it as .safetensors. */
export const jobFile = (parity, { side, network, run, seed, start }) =>
  join(parity, 'jobs', network, `${side}-${run}-${seed}-${start}.json`);

/** The verdicts of the finished slices of a run, as one string, and the record of each slice. */
export function finished(parity, job) {
  const parts = [];
  for (let start = 0; start < imagesOf(job.network, job.run); start += slice) {
    const file = jobFile(parity, { ...job, start });
    if (!existsSync(file)) break;
    parts.push(JSON.parse(readFileSync(file, 'utf8')));
  }
  return { parts, verdicts: parts.map(({ verdicts }) => verdicts).join('') };
}
