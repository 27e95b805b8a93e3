/** A real browser for the tests of pages. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

const program = process.env.SATIN_TEST_CHROMIUM ?? '/usr/bin/chromium';

/** Why the tests of the page cannot run; false if they can. */
export const lacksBrowser: string | false = existsSync(program)
  ? false
  : `there is no Chromium in ${program}; SATIN_TEST_CHROMIUM says where one is`;

/** @param flags further ones of Chromium's */
export function openBrowser(flags: readonly string[] = []): Promise<Browser> {
  // Chromium's own sandbox needs rights that root in a container lacks; the page under test is ours.
  return chromium.launch({ executablePath: program, args: ['--no-sandbox', ...flags] });
}

export interface WatchedPage {
  readonly page: Page;
  /** What the console said as an error, scripts that failed, and requests that left this machine. */
  readonly faults: readonly string[];
}

export async function openPage(
  browser: Browser,
  { width = 1440, scheme = 'light' }: { readonly width?: number; readonly scheme?: 'light' | 'dark' } = {},
): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
  page.setDefaultTimeout(20_000);
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== 'data:' && hostname !== '127.0.0.1') faults.push(`a request to ${request.url()}`);
  });
  return { page, faults };
}

/** Requires that axe finds no serious or critical fault, and that nothing is wider than the screen. */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate('axe.run()')) as axe.AxeResults;
  assert.ok(found.passes.length > 5, what);
  const grave = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(
    grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
    [],
    what,
  );
  const [wide, room] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as [
    number,
    number,
  ];
  assert.ok(wide <= room, `${what}: ${wide} pixels wide on a screen of ${room}`);
}

/** Waits until a condition holds. The page's policy forbids to evaluate text, so that its own waiting cannot be used. */
export async function until(check: () => Promise<boolean>, what: string): Promise<void> {
  const late = performance.now() + 20_000;
  while (!(await check())) {
    assert.ok(performance.now() < late, `waited in vain until ${what}`);
    await sleep(50);
  }
}
