/** A model is compared with what another program's network answers. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readExpectedLogits, requireExpectedLogits } from '../../../src/app/model/expected-logits.js';
import { openModel } from '../../../src/app/model/open-model.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { encodeSafetensors, type NamedArray } from '../../../src/weights/safetensors.js';
import { refuses } from '../../support/foreign-weights.js';
import { type GoldenTensor, readGolden } from '../../support/golden.js';

setThreads(1);
const temporary = mkdtempSync(join(tmpdir(), 'satin-expected-'));
after(() => rmSync(temporary, { recursive: true }));

/** PyTorch's own logits of a network, test/golden/attention.json. */
const { cases } = readGolden<{ cases: { name: string; images: GoldenTensor; logits: GoldenTensor }[] }>(
  'attention',
);
const { name, images, logits } = cases[0]!;
const model = openModel(
  fileURLToPath(new URL(`../../../../test/golden/torchscript-kinds/${name}.pt`, import.meta.url)),
);
after(() => model[Symbol.dispose]());

const array = (key: string, { shape, values }: Pick<GoldenTensor, 'shape' | 'values'>): NamedArray => ({
  name: key,
  dtype: 'F64',
  shape,
  bytes: new Uint8Array(Float64Array.from(values).buffer),
});
function written(key: string, arrays: readonly NamedArray[]): string {
  const path = join(temporary, `${key}.safetensors`);
  writeFileSync(path, encodeSafetensors(arrays));
  return path;
}
const both = (of: Pick<GoldenTensor, 'shape' | 'values'>) => [array('images', images), array('logits', of)];

describe('a model', () => {
  it("gives PyTorch's logits", () => {
    const difference = requireExpectedLogits(model, readExpectedLogits(written('same', both(logits))));
    assert.ok(difference > 0 && difference < 1e-5, String(difference));
  });

  it('is refused for other logits, the largest difference named, and for NaN', () => {
    const changed = (value: number) => logits.values.map((each, at) => (at === 6 ? value : each));
    const off = written('off', both({ ...logits, values: changed(50) }));
    refuses(
      () => requireExpectedLogits(model, readExpectedLogits(off)),
      /for image 1 the logit of class 2 is -?[\d.]+ instead of 50\.000: it is another network/,
    );
    const unknown = written('nan', both({ ...logits, values: changed(Number.NaN) }));
    refuses(() => requireExpectedLogits(model, readExpectedLogits(unknown)), /instead of NaN/);
    const fewer = written('fewer', both({ shape: [4, 2], values: logits.values.slice(0, 8) }));
    refuses(
      () => requireExpectedLogits(model, readExpectedLogits(fewer)),
      /logits of shape \[4, 2\].* received '\[4, 4\]'/,
    );
  });

  it('needs a file with images and logits', () => {
    refuses(
      () => readExpectedLogits(written('half', [array('logits', logits)])),
      /a file with images .* for `expect`/,
    );
    const rows = written('rows', both({ shape: [2, 8], values: logits.values }));
    refuses(() => readExpectedLogits(rows), /4 rows of logits, one per image/);
  });
});
