import { stringify } from 'yaml';
import type { EvaluationResult } from '../../evaluation/result.js';
import type { ModelDescription } from '../../models/description.js';
import { arePlaceholders } from '../../models/placeholder-class-names.js';
import type { Recipe } from '../../recipe/recipe.js';
import { plainPercent as percent } from '../../report/page/format.js';
import { normSymbols } from '../../user-input/norm-name.js';
import { markdownText } from './markdown-text.js';

export interface CardFacts {
  readonly name: string;
  readonly license: string | null;
  readonly description: ModelDescription;
  /** How it was trained; null for weights of another program. */
  readonly recipe: Recipe | null;
  readonly commit: string | null;
  readonly evaluation: EvaluationResult | null;
  /** Whether timm has this network. */
  readonly isTimm: boolean;
}

/** The model card of a published model: metadata that the Hugging Face hub reads, the evaluation's table, how to load it. */
export function modelCard(facts: CardFacts): string {
  const { name, description, recipe, commit, evaluation } = facts;
  const { architecture, activation, classes, shape } = description;
  return [
    '---',
    stringify(metadata(facts)).trim(),
    '---',
    '',
    `# ${markdownText(name)}`,
    '',
    recipe === null
      ? `A \`${architecture}\` with \`${activation}\`; its weights come from another program.`
      : `A \`${architecture}\` with \`${activation}\`, trained with Satin${commit === null ? '' : ` (commit ${commit.slice(0, 7)})`} to withstand adversarial examples.`,
    '',
    ...(evaluation === null ? ['Its robustness has not been measured.', ''] : evaluationText(evaluation)),
    '## Input and output',
    '',
    `Images of ${shape[0]} channels, ${shape[1]} x ${shape[2]} pixels in [0, 1]; ${normalisationText(facts)} ` +
      `Output: logits of ${classes.length} classes${arePlaceholders(classes) ? '' : `: ${classes.slice(0, 20).map(markdownText).join(', ')}${classes.length > 20 ? ', …' : ''}`}.`,
    '',
    '## How to load it',
    '',
    ...loadText(facts),
    ...(recipe === null
      ? []
      : ['## How it was trained', '', '```yaml', stringify(withoutPlaces(recipe)).trim(), '```', '']),
  ].join('\n');
}

function metadata({ name, license, recipe, evaluation, isTimm }: CardFacts): object {
  const dataset = recipe?.data.name;
  return {
    ...(license !== null && { license }),
    library_name: isTimm ? 'timm' : 'satin',
    pipeline_tag: 'image-classification',
    tags: ['image-classification', 'adversarial-robustness', 'smooth-adversarial-training', 'satin'],
    ...(dataset !== undefined && dataset !== 'folder' && { datasets: [dataset] }),
    ...(evaluation !== null && {
      'model-index': [
        {
          name,
          results: [
            {
              task: { type: 'image-classification' },
              dataset: { name: evaluation.data, type: evaluation.data.replace(/:.*/, '') },
              metrics: [
                {
                  type: 'accuracy',
                  name: 'Clean accuracy',
                  value: Number((100 * evaluation.clean).toFixed(2)),
                },
                {
                  type: 'accuracy',
                  name: `Robust accuracy (${normSymbols[evaluation.norm]}, ε = ${evaluation.epsilonText}, ${attackText(evaluation)})`,
                  value: Number((100 * evaluation.robust).toFixed(2)),
                },
              ],
            },
          ],
        },
      ],
    }),
  };
}

const attackText = ({ mode, attacks }: EvaluationResult) =>
  mode === 'standard' ? 'AutoAttack' : attacks.map(({ name }) => name).join(' + ');

function evaluationText(evaluation: EvaluationResult): string[] {
  const { clean, robust, interval, examples, data, norm, epsilonText, flags, attacks, engine } = evaluation;
  return [
    '## Robustness',
    '',
    `| ${normSymbols[norm]}, ε = ${epsilonText}, ${examples} images of ${markdownText(data)} | accuracy |`,
    '| --- | --- |',
    `| clean | ${percent(clean)} |`,
    ...attacks.map(({ name, robustAfter }) => `| after ${name} | ${percent(robustAfter)} |`),
    `| **robust** (95 %: ${percent(interval[0])} to ${percent(interval[1])}) | **${percent(robust)}** |`,
    '',
    `Measured by Satin ${evaluation.satin}${engine.commit === null ? '' : ` (commit ${engine.commit.slice(0, 7)})`}, libtorch ${engine.libtorch}. ` +
      (flags.length === 0
        ? 'Its checks found no sign of a failing attack.'
        : `Its checks found: ${flags.map(({ code, message }) => `\`${code}\`: ${markdownText(message)}`).join(' ')}`),
    '',
  ];
}

function normalisationText({ description: { normalise }, isTimm }: CardFacts): string {
  if (normalise === null) return 'not normalised.';
  const { mean, std } = normalise;
  return isTimm
    ? `the caller normalises, (pixel − mean) / std with mean [${mean.join(', ')}] and std [${std.join(', ')}].`
    : 'the network normalises them itself.';
}

function loadText({ name, isTimm }: CardFacts): string[] {
  const folder = markdownText(name);
  return isTimm
    ? [
        '```python',
        'import timm',
        `model = timm.create_model('local-dir:${folder}', pretrained=True).eval()`,
        '```',
        '',
      ]
    : [
        'timm has no such network. `model.pt` is TorchScript, its input pixels in [0, 1]:',
        '',
        '```python',
        'import torch',
        `model = torch.jit.load('${folder}/model.pt').eval()`,
        '```',
        '',
      ];
}

/** The recipe without what is of one machine. */
function withoutPlaces({ data, device: _, threads: __, ...rest }: Recipe): object {
  const { dir: ___, ...kept } = data as { readonly dir?: unknown };
  return { ...rest, data: kept };
}
