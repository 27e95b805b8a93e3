/** The released models against their networks and docs/released.md. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseActivation } from '../../src/activations/parse.js';
import { layerSummary } from '../../src/models/layer-summary.js';
import {
  type ReleasedModel,
  releasedDescription,
  releasedModels,
  releasedNames,
} from '../../src/models/released-models.js';

const page = readFileSync(new URL('../../../docs/released.md', import.meta.url), 'utf8');

describe('the released models', () => {
  it('are the 14 ResNets and 10 EfficientNets of the download scripts', () => {
    const efficientnets = releasedNames.filter((name) => name.startsWith('efficientnet'));
    assert.deepEqual([releasedNames.length, efficientnets.length], [24, 10]);
    for (const name of releasedNames) {
      const { download } = releasedModels[name];
      assert.equal(name, download.toLowerCase().replace('-bl1', '-l1'));
    }
  });

  it('have a network each, with an activation of the table', () => {
    for (const name of releasedNames) {
      const { activation, size, architecture }: ReleasedModel = releasedModels[name];
      assert.equal(parseActivation(activation).name, activation);
      const description = releasedDescription(name);
      assert.deepEqual(description.shape, [3, size, size]);
      assert.equal(description.transform?.resize, size + 32);
      assert.equal(description.architecture, architecture);
    }
    // The sizes of the layers do not depend on the padding.
    for (const name of ['res50-silu-299', 'efficientnet-b1'] as const) {
      const description = releasedDescription(name);
      const { macs, parameters } = layerSummary(description);
      const symmetric = layerSummary({ ...description, padding: undefined });
      assert.deepEqual([macs, parameters], [symmetric.macs, symmetric.parameters]);
    }
  });

  it('are those of docs/released.md, with the figures of the README', () => {
    const rows = [...page.matchAll(/^\| `(\w[\w-]*)` \| ([^|\n]*) \| ([^|\n]*) \|((?:[^|\n]*\|)+)$/gm)];
    const cells = (text: string) => text.split('|').map((cell) => cell.trim());
    assert.deepEqual(
      rows.map(([, name, download, network, figures]) => [
        name,
        download,
        network,
        cells(figures!)
          .slice(0, 4)
          .filter((cell) => cell !== '')
          .map(Number),
      ]),
      releasedNames.map((name) => {
        const { download, architecture, activation, size, readme }: ReleasedModel = releasedModels[name];
        return [name, `\`${download}\``, `${architecture}, ${activation}, ${size}`, [...readme]];
      }),
    );
  });
});
