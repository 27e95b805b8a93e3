/**
 * The page of `satin demo` in Chromium (SATIN_TEST_CHROMIUM, by default /usr/bin/chromium): it works, asks nobody else, is fast
 * enough, and its attack comes to the verdicts of `satin evaluate`. Two ResNet-18 of width 16.
 *
 * SATIN_DEMO_RUNS names two runs, separated by a colon, in place of networks with random weights, and SATIN_DEMO_DATA the
 * folder of their data set.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { setThreads } from '../../../src/engine/engine-info.js';
import { writeWeights } from '../../../src/runs/checkpoint.js';
import { startServer } from '../../../src/serve/server.js';
import { tensor } from '../../../src/tensor/create.js';
import { noGrad } from '../../../src/tensor/gradient.js';
import { noise } from '../../../src/tensor/noise.js';
import { scope } from '../../../src/tensor/scope.js';
import { toArrays } from '../../../src/weights/module-weights.js';
import { lacksBrowser, openBrowser } from '../../support/browser.js';
import { lively } from '../../support/lively-model.js';
import { serveFolder } from '../../support/serve-folder.js';
import { satin } from '../../support/tiny-run.js';

const temporary = mkdtempSync(join(tmpdir(), 'satin-demo-'));
after(() => rmSync(temporary, { recursive: true }));
const out = join(temporary, 'demo');
const count = 100;

interface Subject {
  readonly models: readonly string[];
  readonly options: readonly string[];
}

/** Two networks with random weights, and images of noise as they see them; this ε fools them on some. */
function madeUp(): Subject {
  setThreads(2);
  const classes = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
  const models = (['relu', 'silu'] as const).map((activation) =>
    lively({
      architecture: 'resnet18',
      width: 0.25,
      activation,
      classes,
      shape: [3, 32, 32],
      normalise: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    }),
  );
  const bytes = scope(() => {
    const ids = Array.from({ length: count }, (_, id) => id);
    const draw = noise('uniform', { key: { seed: 1, stream: 'bench' }, ids, shape: [3, 32, 32] });
    return Uint8Array.from(draw.numbers(), (value) => Math.floor(256 * value));
  });
  const labels = models.map(({ classify }) =>
    scope(() =>
      noGrad(() =>
        classify(
          tensor(
            Float32Array.from(bytes, (byte) => byte / 255),
            [count, 3, 32, 32],
          ),
        ),
      )
        .argmax(1)
        .numbers(),
    ),
  );
  const file = Buffer.alloc(10_000 * 3073);
  for (let image = 0; image < count; image++) {
    file[image * 3073] = labels[image % 2]![image]!;
    file.set(bytes.subarray(image * 3072, (image + 1) * 3072), image * 3073 + 1);
  }
  writeFileSync(join(temporary, 'batches.meta.txt'), classes.map((name) => `${name}\n`).join(''));
  writeFileSync(join(temporary, 'test_batch.bin'), file);
  const paths = models.map((model) => {
    const path = join(temporary, `${model.description.activation}.safetensors`);
    writeWeights(path, { model: model.description, weights: toArrays(model.network.state()) });
    model.dispose();
    return path;
  });
  const data = ['--data', 'cifar10', '--data-dir', temporary];
  return {
    models: paths,
    options: [...data, '--norm', 'linf', '--epsilon', '6/255'],
  };
}

function subject(): Subject {
  const runs = process.env.SATIN_DEMO_RUNS;
  if (runs === undefined) return madeUp();
  const dir = process.env.SATIN_DEMO_DATA;
  return { models: runs.split(':'), options: dir === undefined ? [] : ['--data-dir', dir] };
}

interface Survey {
  readonly seconds: number;
  readonly verdicts: readonly (readonly {
    readonly isRight: boolean;
    readonly holds: boolean;
    readonly margin: number;
  }[])[];
}

describe('the page of satin demo', {
  skip: lacksBrowser,
}, () => {
  const { models, options } = subject();
  const problems: string[] = [];
  const requests: string[] = [];
  /** Addresses besides that of the folder. */
  const served: string[] = [];
  let browser: Browser;
  let page: Page;
  let address: string;
  let close: () => void;

  before(async () => {
    const made = satin('demo', ...models, '--out', out, '--examples', String(count), ...options);
    assert.equal(made.status, 0, made.stderr);
    ({ address, close } = await serveFolder(out));
    browser = await openBrowser();
    page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
    page.on('console', (message) => {
      // Chromium's own words where it has no graphics card.
      if (message.text() === 'No available adapters.') return;
      if (['error', 'warning'].includes(message.type())) problems.push(message.text());
    });
    page.on('pageerror', ({ message }) => problems.push(message));
    page.context().on('request', (request) => requests.push(request.url()));
    await page.goto(address);
    await page.locator('#attack:enabled').waitFor();
  });
  after(async () => {
    await browser?.close();
    close?.();
  });

  /** Attacks the chosen image, and returns what the page says of it. */
  async function attack(): Promise<string> {
    await page.getByRole('button', { name: 'Attack', exact: true }).click();
    await page.locator('#status', { hasText: /\S/ }).waitFor();
    return (await page.locator('#status').textContent())!;
  }

  it('attacks a test image, chosen by the keyboard', async () => {
    await page.getByRole('radio').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('[role=radio]:nth-child(2)[aria-checked=true]').waitFor();
    await page.locator('.verdict', { hasText: /^Sees/ }).first().waitFor();
    assert.match(await attack(), /^ReLU (is|holds).* SiLU (is|holds).*\.$/);
    assert.match((await page.locator('#moment-text').textContent())!, /^step 10$/);
    await page.locator('#moment').fill('0');
    assert.equal(await page.locator('#moment-text').textContent(), 'before');
    assert.match((await page.locator('.network figcaption').nth(1).textContent())!, /none yet/);
  });

  it('attacks a picture of the visitor’s, as what the visitor says that it is', async () => {
    await page.getByRole('tab', { name: 'Your own' }).click();
    await page
      .locator('#file')
      .setInputFiles(
        join(out, 'images', JSON.parse(readFileSync(join(out, 'demo.json'), 'utf8')).images[7].file.slice(7)),
      );
    await page.locator('#class-choice').waitFor();
    await page.locator('#class').selectOption('3');
    const third = (await page.locator('#class option').nth(3).textContent())!;
    await page.locator('.classes .true .name', { hasText: third }).first().waitFor();
    assert.match(await attack(), /^ReLU .* SiLU /);
    await page
      .locator('#file')
      .setInputFiles({ name: 'no-picture.png', mimeType: 'image/png', buffer: Buffer.from('no') });
    await page.getByRole('alert').waitFor();
    assert.match((await page.getByRole('alert').textContent())!, /^no-picture\.png is not a picture/);
  });

  it('attacks a drawing', async () => {
    await page.getByRole('tab', { name: 'Draw' }).click();
    const box = (await page.locator('#pad').boundingBox())!;
    await page.mouse.move(box.x + 40, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 120, box.y + 160, { steps: 5 });
    await page.mouse.up();
    await page.locator('#chosen-name', { hasText: 'Your drawing' }).waitFor();
    assert.match(await attack(), /^ReLU .* SiLU /);
  });

  it('stops an attack on all', async () => {
    await page.getByRole('tab', { name: 'Test images' }).click();
    await page.getByRole('button', { name: `Attack all ${count}` }).click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.locator('#survey-progress', { hasText: `stopped after` }).waitFor();
    await page.locator('#attack:enabled').waitFor();
  });

  it('comes to the verdicts of satin evaluate, in at most a second an image', async (context) => {
    await page.getByRole('tab', { name: 'Test images' }).click();
    await page.getByRole('button', { name: `Attack all ${count}` }).click();
    await page.locator('#survey-progress', { hasText: ' images in ' }).waitFor({ timeout: 600_000 });
    const survey = (await page.evaluate('window.satinSurvey')) as Survey;
    context.diagnostic(`${(survey.seconds / count).toFixed(2)} s an image, both networks at once`);
    assert.ok(survey.seconds / count <= 1, `${survey.seconds} s`);
    for (const [network, model] of models.entries()) {
      const json = join(temporary, `${network}.json`);
      const ended = satin(
        ...['evaluate', model, '--attack', 'pgd-10', '--examples', String(count), ...options],
        ...['--device', 'cpu', '--json', json],
      );
      assert.equal(ended.status, 0, ended.stderr);
      const examples: readonly { readonly clean: boolean; readonly brokenBy: string | null }[] = JSON.parse(
        readFileSync(json, 'utf8'),
      ).perExample;
      const verdicts = survey.verdicts[network]!;
      const holding = verdicts.filter(({ holds }) => holds).length;
      const right = verdicts.filter(({ isRight }) => isRight).length;
      context.diagnostic(`${model}: ${right} right, ${holding} hold`);
      assert.ok(holding > 0 && holding < right, 'some hold and some do not');
      for (const [index, { isRight, holds, margin }] of verdicts.entries()) {
        const { clean, brokenBy } = examples[index]!;
        const isSame = isRight === clean && holds === (clean && brokenBy === null);
        assert.ok(isSame || Math.abs(margin) < 1e-4, `image ${index}: margin ${margin}`);
      }
    }
  });

  it('is opened from the page of satin serve', async () => {
    const server = await startServer({
      folder: temporary,
      port: 0,
      onBug: (error) => problems.push(String(error)),
    });
    try {
      await page.goto(server.url);
      await page.getByRole('link', { name: 'Attack ReLU and SiLU' }).click();
      await page.locator('#attack:enabled').waitFor();
      assert.match(await attack(), /^ReLU (is|holds).* SiLU (is|holds).*\.$/);
    } finally {
      await page.goto(address);
      await server.close();
      served.push(server.url);
    }
  });

  it('computes on a graphics card as on the processor, where the browser offers one', async (context) => {
    await page.close(); // two pages at once would be slow
    const small = join(temporary, 'small');
    assert.equal(satin('demo', ...models, '--out', small, '--examples', '4', ...options).status, 0);
    const other = await serveFolder(small);
    // SwiftShader is a graphics card in software, which Chromium brings along.
    const browser = await openBrowser(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']);
    try {
      page = await browser.newPage({ viewport: { width: 390, height: 900 } });
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) problems.push(message.text());
      });
      page.on('pageerror', ({ message }) => problems.push(message));
      page.context().on('request', (request) => {
        if (!request.url().startsWith(other.address)) requests.push(request.url());
      });
      await page.goto(other.address);
      await page.locator('#attack:enabled').waitFor();
      const surveyed = async () => {
        await page.getByRole('button', { name: 'Attack all 4' }).click();
        await page.locator('#survey-progress', { hasText: ' images in ' }).waitFor({ timeout: 300_000 });
        const survey = (await page.evaluate('window.satinSurvey')) as Survey;
        await page.evaluate("document.getElementById('survey-progress').textContent = ''");
        return survey;
      };
      const onProcessor = await surveyed();
      await page.locator('#place').selectOption('gpu');
      await page.locator('#place:enabled').waitFor({ timeout: 300_000 });
      assert.equal(await page.locator('#place').inputValue(), 'gpu', 'it did not fall back');
      assert.equal(await page.locator('#trouble').isVisible(), false);
      const onCard = await surveyed();
      context.diagnostic(`${onProcessor.seconds.toFixed(1)} s and ${onCard.seconds.toFixed(1)} s`);
      for (const [network, verdicts] of onCard.verdicts.entries())
        for (const [index, { margin, ...verdict }] of verdicts.entries()) {
          const { margin: expected, ...before } = onProcessor.verdicts[network]![index]!;
          context.diagnostic(`margin ${margin} on the card, ${expected} on the processor`);
          assert.ok(Math.abs(margin - expected) < 1e-3, `${margin} for ${expected}`);
          if (Math.abs(expected) > 1e-3) assert.deepEqual(verdict, before);
        }
    } finally {
      await browser.close();
      other.close();
    }
  });

  it('had no trouble, and asked only the server of the folder', () => {
    assert.deepEqual(problems, []);
    assert.ok(requests.length > count);
    for (const url of requests)
      assert.ok(
        [address, ...served, 'blob:', 'data:,'].some((start) => url.startsWith(start)),
        url,
      );
  });
});
