import { Command } from '@commander-js/extra-typings';
import { evaluatedModelPath } from '../../app/evaluate/evaluated-model.js';
import type { VerificationResult } from '../../app/evaluate/verify-run.js';
import { RunError } from '../../errors.js';
import { readEvaluationManifest } from '../../evaluation/folder/manifest.js';
import { normSymbols } from '../../user-input/norm-name.js';
import { chooseStatedDevice, deviceOption } from '../device-option.js';
import { modelOptions, readTypedModel } from '../model-options.js';
import { wholeNumber } from '../option-parsers.js';
import { sayModelFile } from '../say-model-file.js';
import { createDisplay } from '../terminal/terminal.js';
import { requireJsonPath, writeResult } from '../write-result.js';

/** Maximum number of failed images listed; `--json` has all. */
const listed = 20;

/** `satin verify DIR` */
export function verifyCommand() {
  return new Command('verify')
    .description(
      'Verifies the stored adversarial images of an evaluation, using only its folder and a model: digest of the ' +
        'originals, distance in float64, pixels in [0, 1], and misclassification. With another --model, measures how ' +
        'many of them transfer to it. Exits with code 1 if an image does not verify.',
    )
    .argument('<folder>', 'folder written by satin evaluate --save-adversarial')
    .option(
      '--model <model>',
      'the model (default: the evaluated one, at its original path; a TorchScript file, which is a program, must be named here or by --digest)',
    )
    .option('--digest <sha256>', "digest of the evaluated model (modelDigest in your own run's JSON)")
    .addOption(modelOptions.inputRange())
    .addOption(modelOptions.mean())
    .addOption(modelOptions.std())
    .option('--json <file>', 'write the result as JSON to a file, or - for standard output')
    .addOption(deviceOption())
    .option('--threads <count>', 'number of CPU threads', wholeNumber('--threads', 1))
    .action(async (folder, options) => {
      const { json, threads } = options;
      const manifest = readEvaluationManifest(folder, 'the folder');
      const model = readTypedModel(options.model ?? evaluatedModelPath(manifest, options), options);
      requireJsonPath(json);
      // Imported after validation, since this loads the engine.
      const { verifyRun } = await import('../../app/evaluate/verify-run.js');
      using display = createDisplay();
      const stated = { device: options.device, threads: threads ?? manifest.threads, say: display.note };
      const device = await chooseStatedDevice(stated);
      sayModelFile(model, display.note);
      const onProgress = (done: number, total: number) =>
        display.progress({ label: 'classify', done, total });
      const result = verifyRun({ folder, model, device, onProgress });
      display.close();
      writeResult(result, { json, table: table(result) });
      const { failed, images } = result;
      if (failed.length > 0)
        throw new RunError(
          'not-verified',
          `${failed.length} of ${images} adversarial images failed verification.`,
        );
    });
}

function table(result: VerificationResult): string {
  const { norm, epsilonText, data, images, verified, isSameModel, isFinished, ofRight, fooled } = result;
  const what = `${normSymbols[norm]}, ε = ${epsilonText}`;
  const lines = [
    `${images} adversarial images of ${data}, ${what}${isFinished ? '' : '; the evaluation is not finished'}`,
    isSameModel
      ? `${verified} verified: within ε and [0, 1], and misclassified by ${result.model}`
      : `${verified} are within ε and [0, 1]; ${result.model} is not the evaluated model`,
    ...(isSameModel
      ? []
      : [
          `${fooled} of ${images} fool it; of the ${ofRight.images} with a correctly classified original, ${ofRight.fooled}`,
        ]),
    ...result.failed
      .slice(0, listed)
      .map(
        ({ id, file = `image ${id}`, attack, distance, pixels: [lowest, highest], because }) =>
          `  ${file}, ${attack}: ${because.join(', ')} (distance ${distance}, pixels ${lowest} to ${highest})`,
      ),
    ...(result.failed.length > listed ? [`  and ${result.failed.length - listed} more`] : []),
  ];
  return `${lines.join('\n')}\n`;
}
