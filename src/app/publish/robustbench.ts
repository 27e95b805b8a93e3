import { InputError } from '../../errors.js';
import type { EvaluationResult } from '../../evaluation/result.js';
import type { ModelDescription } from '../../models/description.js';
import type { NormName } from '../../user-input/norm-name.js';

/** What RobustBench's table shows of a model beside its accuracy. */
export interface RobustBenchFacts {
  /** Title of the paper. */
  readonly title: string;
  readonly authors: string;
  readonly link: string;
  readonly venue: string;
  /** Whether it was trained with data beyond the data set's. */
  readonly additionalData: boolean;
}

/** RobustBench's names of data sets and threat models. */
const datasets: Readonly<Record<string, string>> = { cifar10: 'cifar10', imagenet: 'imagenet' };
const threats: Partial<Readonly<Record<NormName, string>>> = { linf: 'Linf', l2: 'L2' };

/**
 * The files of an entry for RobustBench: `model_info/DATASET/THREAT/NAME.json` with the fields of its table, and `entry.py`, whose
 * class its loader can build and load, and which writes the checkpoint that the loader reads.
 *
 * @throws {InputError} without an evaluation by AutoAttack's standard set, and for data or a norm that RobustBench has no table for.
 */
export function robustBenchFiles({
  name,
  evaluation,
  description,
  paper,
}: {
  readonly name: string;
  readonly evaluation: EvaluationResult | null;
  readonly description: ModelDescription;
  readonly paper: Partial<RobustBenchFacts>;
}): Map<string, string> {
  const remedy = 'Evaluate with `autoattack` standard and `saveAdversarial`, and name the folder.';
  if (evaluation === null)
    throw InputError.expected('a finished evaluation by AutoAttack', '`evaluation`', undefined, remedy);
  if (evaluation.mode !== 'standard')
    throw InputError.expected("AutoAttack's standard set", '`evaluation`', evaluation.mode, remedy);
  const dataset = datasets[evaluation.data.replace(/:.*/, '')];
  if (dataset === undefined)
    throw InputError.expected(
      'data that RobustBench has a table for (cifar10, imagenet)',
      '`evaluation`',
      evaluation.data,
    );
  const threat = threats[evaluation.norm];
  if (threat === undefined)
    throw InputError.expected(
      'an evaluation in a norm that RobustBench has a table for (linf, l2)',
      '`evaluation`',
      evaluation.norm,
    );
  if (!/^[A-Za-z]\w*$/.test(name))
    throw InputError.expected(
      "a folder named as RobustBench names models, such as 'Xie2020Smooth',",
      '`out`',
      name,
      'Letters, digits and underscores.',
    );
  const percent = (share: number) => (100 * share).toFixed(2);
  const info = {
    link: paper.link ?? '',
    name: paper.title ?? '',
    authors: paper.authors ?? '',
    additional_data: paper.additionalData ?? false,
    number_forward_passes: 1,
    dataset,
    venue: paper.venue ?? '',
    architecture: `${description.architecture}, ${description.activation}`,
    eps: evaluation.epsilonText,
    clean_acc: percent(evaluation.clean),
    reported: percent(evaluation.robust),
    autoattack_acc: percent(evaluation.robust),
    unreliable: false,
    footnote: `Evaluated on ${evaluation.examples} images by Satin ${evaluation.satin}.`,
  };
  return new Map([
    [`${name}.json`, `${JSON.stringify(info, null, 2)}\n`],
    ['entry.py', entry({ name, dataset, threat })],
  ]);
}

const entry = ({ name, dataset, threat }: { name: string; dataset: string; threat: string }) => `\
"""RobustBench entry of ${name}: its JSON goes to model_info/${dataset}/${threat}/.

python entry.py [MODELS]   writes MODELS/${dataset}/${threat}/${name}.pt (default: models), where load_model looks for it
"""

import sys
from pathlib import Path

import torch

folder = Path(__file__).resolve().parent


class ${name}(torch.nn.Module):
    """Pixels in [0, 1] to logits; the normalisation is in the network."""

    def __init__(self):
        super().__init__()
        self.network = torch.jit.load(str(folder / "model.pt"), map_location="cpu")

    def forward(self, x):
        return self.network(x)


# As in robustbench/model_zoo/${dataset}.py: models[ThreatModel.${threat}]["${name}"] = entry
entry = {"model": ${name}, "gdrive_id": "local"}


def write_checkpoint(models):
    path = Path(models) / "${dataset}" / "${threat}" / "${name}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(${name}().state_dict(), path)
    return path


if __name__ == "__main__":
    print(write_checkpoint(sys.argv[1] if len(sys.argv) > 1 else "models"))
`;
