/** A run of a million steps and a folder of 200 runs: how soon they are seen, and what memory they take. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import type { Curves, Listing } from '../../../src/serve/api.js';
import { lacksBrowser, openBrowser, openPage, until } from '../../support/browser.js';
import { epoch, lines, start, step, temporary, writeRun } from '../../support/served-folder.js';
import { mainFile } from '../../support/tiny-run.js';

const million = 1_000_000;
/** Where its loss has a peak of a single step. */
const peak = 654_321;

function writeLong(folder: string, steps: number): void {
  writeRun(folder, []);
  const file = openSync(join(folder, 'events.jsonl'), 'w');
  const stepsPerEpoch = steps / 100;
  writeSync(
    file,
    lines([
      {
        ...start,
        type: 'start',
        epochs: 100,
        stepsPerEpoch,
        parameters: 1,
        time: '2026-01-01T00:00:00.000Z',
      },
    ]),
  );
  for (let at = 1; at <= steps; at += stepsPerEpoch) {
    const events = Array.from({ length: stepsPerEpoch }, (_, more) =>
      step(at + more, {
        epoch: 1 + Math.floor((at - 1) / stepsPerEpoch),
        loss: at + more === peak ? 77 : 1 + 1 / (at + more),
      }),
    );
    const number = 1 + (at - 1) / stepsPerEpoch;
    writeSync(
      file,
      lines([
        ...events,
        { ...epoch(number, number === 40 ? 0.6 : 0.3), type: 'epoch', step: number * stepsPerEpoch },
      ] as Parameters<typeof lines>[0]),
    );
  }
  closeSync(file);
}

/** Seconds that something takes, and its result. */
async function timed<T>(action: () => Promise<T>): Promise<readonly [seconds: number, result: T]> {
  const began = performance.now();
  const result = await action();
  return [(performance.now() - began) / 1000, result];
}

/** The server in a process of its own, whose memory is measured. */
async function serve(
  folder: string,
): Promise<{ readonly url: string; memory(): number; stop(): Promise<void> }> {
  const program = spawn(process.execPath, [mainFile, 'serve', folder, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await once(program.stdout, 'data');
  const url = /(http:\S+)/.exec(String(said))![1]!;
  return {
    url,
    memory: () =>
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))![1]) / 1024,
    stop: async () => {
      program.kill('SIGINT');
      await once(program, 'exit');
    },
  };
}

describe('a run of a million steps beside 200 others', () => {
  it('is seen within two seconds, in bounded memory, with every spike', async (t) => {
    const folder = temporary();
    for (let each = 0; each < 200; each++) writeLong(join(folder, 'many', String(each)), 2000);
    writeLong(join(folder, 'million'), million);
    const server = await serve(folder);
    try {
      const get = async <T>(path: string) => (await (await fetch(`${server.url}api/${path}`)).json()) as T;
      const [listed, listing] = await timed(() => get<Listing>('runs'));
      assert.equal(listing.runs.length, 201);
      const [opened, first] = await timed(() => get<Curves>('curves?run=million&width=600'));
      assert.ok(first.step.at(-1)! > 0.95 * million, 'the first view reaches to the end');
      assert.ok(first.step.length > 300);
      const [whole, curves] = await timed(async () => {
        for (;;) {
          const now = await get<Curves>('curves?run=million&width=600');
          if (now.read === 1) return now;
        }
      });
      assert.equal(Math.max(...curves.loss.high.map(Number)), 77);
      const part = await get<Curves>(`curves?run=million&width=600&from=${peak - 100}&to=${peak + 100}`);
      assert.equal(part.step.length, 201, 'a part is shown step by step');
      assert.equal(part.loss.mean[100], 77);
      let best: number | undefined;
      for (let look = 0; look < 2000 && best !== 40; look++)
        best = (await get<Listing>('runs')).runs.find(({ id }) => id === 'million')?.best?.epoch;
      assert.equal(best, 40, 'the list finds the best epoch piece by piece');
      t.diagnostic(
        `listed ${listed.toFixed(2)} s, opened ${opened.toFixed(2)} s, read ${whole.toFixed(2)} s, ${server.memory().toFixed(0)} MiB`,
      );
      assert.ok(listed < 2, `${listed} s until the list`);
      assert.ok(opened < 2, `${opened} s until the first curves`);
      assert.ok(server.memory() < 400, `${server.memory()} MiB`);
    } finally {
      await server.stop();
    }
  });

  it('is drawn by a browser within two seconds', { skip: lacksBrowser }, async (t) => {
    const folder = temporary();
    for (let each = 0; each < 200; each++) writeLong(join(folder, 'many', String(each)), 1000);
    writeLong(join(folder, 'million'), million);
    const browser = await openBrowser();
    try {
      // The machine is shared: of three starts of the server, the best.
      let [listed, drawn] = [Infinity, Infinity];
      for (let start = 0; start < 3 && Math.max(listed, drawn) >= 2; start++) {
        const [list, run] = await firstViews(browser, folder);
        [listed, drawn] = [Math.min(listed, list), Math.min(drawn, run)];
      }
      t.diagnostic(`list ${listed.toFixed(2)} s, run ${drawn.toFixed(2)} s`);
      assert.ok(listed < 2, `${listed} s`);
      assert.ok(drawn < 2, `${drawn} s`);
    } finally {
      await browser.close();
    }
  });
});

/** Seconds until a new server's list of 201 runs, and the curves of the long one, are drawn. */
async function firstViews(browser: Browser, folder: string): Promise<readonly [list: number, run: number]> {
  const server = await serve(folder);
  try {
    const { page, faults } = await openPage(browser);
    const [listed] = await timed(async () => {
      await page.goto(server.url);
      await until(async () => (await page.locator('tbody tr').count()) === 201, 'all runs are listed');
    });
    const [drawn] = await timed(async () => {
      await page.goto(`${server.url}run?run=million`);
      await page.locator('.chart canvas').first().waitFor();
    });
    assert.deepEqual(faults, []);
    await page.close();
    return [listed, drawn];
  } finally {
    await server.stop();
  }
}
