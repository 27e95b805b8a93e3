/** The page in a real browser: followed while it trains, compared, and its gallery. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { type RunningServer, startServer } from '../../../src/serve/server.js';
import { assertAccessible, lacksBrowser, openBrowser, openPage, until } from '../../support/browser.js';
import { temporary } from '../../support/served-folder.js';
import { mainFile, satin, tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

const folder = temporary();
const data = join(temporary(), 'mnist');
const runs = join(folder, 'runs');
const bugs: unknown[] = [];
let server: RunningServer;
let browser: Browser;

/** Trains in a process of its own. */
function train(name: string, activation: string, epochs: number) {
  const recipe = tinyRecipe(data);
  const file = join(folder, `${name}.json`);
  writeFileSync(
    file,
    JSON.stringify({
      ...recipe,
      name,
      model: { ...recipe.model, activation },
      training: { ...recipe.training, epochs },
    }),
  );
  const options = { stdio: 'ignore' as const };
  return spawn(process.execPath, [mainFile, 'train', file, '--out', join(runs, name)], options);
}

async function trained(name: string, activation: string, epochs: number): Promise<void> {
  assert.deepEqual(await once(train(name, activation, epochs), 'exit'), [0, null]);
}

describe('the page', { skip: lacksBrowser }, () => {
  before(async () => {
    writeTinyMnist(data);
    await trained('relu', 'relu', 10);
    await trained('silu', 'silu', 10);
    for (const epsilon of ['0.1', '0.3']) {
      const kept = join(runs, 'silu', 'evaluations', `a-${epsilon}`);
      const ended = satin(
        'evaluate',
        join(runs, 'silu'),
        '--attack',
        'apgd-ce',
        '--attack',
        'apgd-dlr',
        '--epsilon',
        epsilon,
        '--examples',
        '64',
        '--save-adversarial',
        kept,
      );
      assert.equal(ended.status, 0, ended.stderr);
    }
    server = await startServer({ folder: runs, port: 0, onBug: (error) => bugs.push(error) });
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    assert.deepEqual(bugs, []);
  });

  it('follows a training live, in the list and on its own page', async () => {
    const list = await openPage(browser);
    await list.page.goto(server.url);
    const program = train('live', 'silu', 40);
    const row = list.page.locator('tr', { hasText: 'live' });
    await row.getByText('training').waitFor();
    const run = await openPage(browser);
    await run.page.goto(`${server.url}run?run=live`);
    await run.page.getByText('Time left').waitFor();
    const slider = run.page.getByRole('slider', { name: /^Loss/ });
    const points = async () => Number(await slider.getAttribute('aria-valuemax'));
    const first = await points();
    await until(async () => (await points()) > first + 5, 'the curve has grown');
    await row.getByText(/^[1-9]\d*\/40$/).waitFor();
    program.kill('SIGINT');
    await once(program, 'exit');
    await row.getByText('interrupted').waitFor();
    await run.page.locator('.lead').getByText('interrupted').waitFor();
    assert.deepEqual([...list.faults, ...run.faults], []);
    await list.page.close();
    await run.page.close();
  });

  it('compares runs that were chosen in the list, at an address that can be shared', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(server.url);
    await page.getByRole('checkbox', { name: 'Choose silu' }).check();
    await page.getByRole('checkbox', { name: 'Choose relu' }).check();
    await page.getByRole('link', { name: 'Compare' }).click();
    await page.getByRole('heading', { name: '2 runs compared' }).waitFor();
    assert.deepEqual(new URL(page.url()).searchParams.getAll('run').sort(), ['relu', 'silu']);
    await page.reload();
    const table = page.getByRole('region', { name: 'Differences of the recipes' });
    assert.deepEqual((await table.locator('tbody th').allTextContents()).sort(), [
      'model.activation',
      'name',
    ]);
    const chart = page.locator('figure', { hasText: 'Training loss' });
    assert.deepEqual(
      (await chart.locator('.key li').allTextContents()).map((text) => text.replace(/[\d.]+$/, '')),
      ['silu', 'relu'],
    );
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('shows adversarial examples by class and attack, and steps through them by keyboard', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${server.url}evaluation?evaluation=silu/evaluations/a-0.3`);
    const cards = page.locator('.example');
    await cards.first().waitFor();
    const all = Number(/^(\d+)/.exec((await page.locator('#gallery ~ p').first().textContent()) ?? '')?.[1]);
    assert.ok(all >= 5, `${all} examples`);
    await page.locator('#by-class').selectOption({ index: 1 });
    assert.match(page.url(), /[?&]class=\d/);
    await until(async () => (await cards.count()) < Math.min(24, all), 'a class is left');
    const some = await cards.count();
    await page.reload();
    await cards.first().waitFor();
    assert.equal(await cards.count(), some, 'the address keeps the choice');
    await page.locator('#by-class').selectOption({ index: 0 });
    await until(async () => (await cards.count()) > some, 'all classes are back');
    await cards.first().getByRole('button').focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    const heading = dialog.getByRole('heading');
    const before = await heading.textContent();
    await page.keyboard.press('ArrowRight');
    assert.notEqual(await heading.textContent(), before);
    const areDrawn = () =>
      dialog
        .locator('img')
        .evaluateAll((images: { naturalWidth: number }[]) =>
          images.every(({ naturalWidth }) => naturalWidth === 8),
        );
    await until(areDrawn, 'the pictures are drawn');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    const matrix = page.getByRole('region', { name: 'Confusion of the classes' });
    assert.equal(await matrix.locator('tbody tr').count(), 10);
    await page.getByRole('button', { name: 'without attack' }).click();
    assert.match(page.url(), /confusion=clean/);
    assert.match((await cards.first().locator('p').textContent()) ?? '', /^taken for \d under apgd-/);
    // Two ε were evaluated, and no attack at all is a point too.
    const curve = page.getByRole('slider', { name: /^Accuracy against ε/ });
    assert.equal(await curve.getAttribute('aria-valuemax'), '2');
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('is read by keyboard: a chart tells its values', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${server.url}run?run=silu`);
    const slider = page.getByRole('slider', { name: /^Loss/ });
    await slider.focus();
    const said = await slider.getAttribute('aria-valuetext');
    assert.match(said ?? '', /^epoch 10: .*\d/);
    await page.keyboard.press('Home');
    assert.match((await slider.getAttribute('aria-valuetext')) ?? '', /^epoch 0\.\d+: /);
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('zooms into steps by dragging, and keeps the part in the address', async () => {
    const { page, faults } = await openPage(browser);
    await page.goto(`${server.url}run?run=silu`);
    const plot = page.locator('.u-over').first();
    const box = (await plot.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.4, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.8, box.y + 60, { steps: 5 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'Show all steps' }).waitFor();
    assert.match(page.url(), /from=\d+&to=\d+/);
    await page.getByRole('button', { name: 'Show all steps' }).click();
    await until(async () => !page.url().includes('from='), 'the address is that of all steps');
    assert.deepEqual(faults, []);
    await page.close();
  });

  for (const width of [390, 1440])
    for (const scheme of ['light', 'dark'] as const)
      it(`has no serious fault for axe at ${width} pixels, ${scheme}`, async () => {
        const { page, faults } = await openPage(browser, { width, scheme });
        const views = [
          '',
          'run?run=silu',
          'compare?run=silu&run=relu',
          'evaluation?evaluation=silu/evaluations/a-0.3',
        ];
        for (const view of views) {
          await page.goto(`${server.url}${view}`);
          await page.locator('h1').waitFor();
          if (view.startsWith('evaluation')) await page.locator('.example').first().waitFor();
          await assertAccessible(page, view);
        }
        assert.deepEqual(faults, []);
        await page.close();
      });

  it('says that a run is gone, and finds it when it comes back', async () => {
    const { page } = await openPage(browser);
    await page.goto(`${server.url}run?run=relu`);
    await page.locator('.chart').first().waitFor();
    renameSync(join(runs, 'relu'), join(folder, 'away'));
    await page.getByRole('alert').waitFor();
    renameSync(join(folder, 'away'), join(runs, 'relu'));
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.close();
  });
});
