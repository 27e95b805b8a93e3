/** timm loads the folders that Satin publishes of its networks, bit for bit. SATIN_PYTHON names a Python with timm and torch. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readModelFile } from '../../../../src/app/model/read-model-file.js';
import { publishModel } from '../../../../src/app/publish/publish-model.js';

const python = process.env.SATIN_PYTHON;
const script = fileURLToPath(new URL('../../../../../scripts/golden/timm_folders.py', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'satin-timm-'));
after(() => rmSync(folder, { recursive: true }));
const run = (what: string) => execFileSync(python!, [script, what, folder], { encoding: 'utf8' });

const networks = [
  { timm: 'resnet18', architecture: 'resnet18-imagenet', activation: 'silu' },
  { timm: 'resnext50_32x4d', architecture: 'resnext50-32x4d', activation: 'elu' },
  { timm: 'efficientnet_b0', architecture: 'efficientnet-b0', activation: 'gelu' },
  {
    timm: 'tf_efficientnet_b0',
    architecture: 'efficientnet-b0',
    activation: 'mish',
    padding: 'same',
    normEpsilon: 1e-3,
  },
] as const;

it('timm loads them', { skip: python === undefined && 'SATIN_PYTHON is not set' }, () => {
  run('make');
  for (const { timm, ...network } of networks) {
    const classes = Array.from({ length: 5 }, (_, index) => `class ${index}`);
    const external = { ...network, classes, shape: [3, 64, 64], width: 1 } as const;
    const file = readModelFile(join(folder, `${timm}.pth`), { external });
    publishModel(file, { format: 'huggingface', out: join(folder, `hub-${timm}`) });
  }
  const differences = JSON.parse(run('check').trim().split('\n').at(-1)!);
  assert.deepEqual(differences, Object.fromEntries(networks.map(({ timm }) => [timm, 0])));
});
