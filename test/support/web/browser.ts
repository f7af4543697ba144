/** Debian's Chromium without a window, driven by playwright-core, with axe beside it. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { repositoryRoot } from '../../../node/dev/house/source.ts';
import { whyNoProgram } from '../programs.ts';

/** Why there is no browser to test with; false: there is one. */
export const whyNoBrowser = await whyNoProgram('chromium');
/** What a page looked like, kept to be looked at; git ignores the folder. */
const screensFolder = join(repositoryRoot, '.tap/screens');
/** Far above what a loaded machine takes. */
const waitMs = 20_000;
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** One browser; pages of it are without cookies and caches of one another. */
export class TestBrowser {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Ends with the test. */
  static async launch(t: Test): Promise<TestBrowser> {
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      // The tests run as root, for whom Chromium has no sandbox; and /dev/shm of a container is too small.
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    });
    t.teardown(() => browser.close());
    return new TestBrowser(browser);
  }

  /** A page that fails the test when a script of it throws or its own policy refuses something. */
  async open(t: Test, options: { width?: number; height?: number; scheme?: 'light' | 'dark' } = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      ignoreHTTPSErrors: true,
      viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
      colorScheme: options.scheme ?? 'light',
      locale: 'en-GB',
      permissions: ['clipboard-write', 'clipboard-read'],
    });
    const page = await context.newPage();
    t.teardown(async () => {
      // What stood there when a test gave up.
      if (!t.passing())
        await page.screenshot({ path: join(screensFolder, `failed-${t.name.replace(/\W+/gu, '-')}.png`) });
      await context.close();
    });
    page.setDefaultTimeout(waitMs);
    page.on('pageerror', (error) => t.fail(`the page threw: ${error.stack ?? error.message}`));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) t.fail(message.text());
    });
    return page;
  }
}

/** Logs in by the form. */
export async function logInAt(page: Page, url: string, user: string, password: string): Promise<void> {
  await page.goto(url);
  await page.getByLabel('User', { exact: true }).fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'Log out' }).waitFor();
}

/** Types into the field that a form begins with, as who opened it by keyboard does. */
export async function typeFirst(page: Page, text: string): Promise<void> {
  await page.locator('input:focus').waitFor();
  await page.keyboard.type(text);
}

/** Keeps a picture, and fails the test for each rule of WCAG 2.2 A and AA that the page breaks. */
export async function inspect(t: Test, page: Page, name: string): Promise<void> {
  mkdirSync(screensFolder, { recursive: true });
  await page.screenshot({ path: join(screensFolder, `${name}.png`), fullPage: false });
  // Evaluated by the driver, which the page's policy does not bind.
  await page.evaluate(axeSource);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const options = JSON.stringify({ runOnly: { type: 'tag', values: tags } });
  const violations = await page.evaluate<readonly Violation[]>(`axe.run(${options}).then((said) => said.violations)`);
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`,
  );
  t.same(found, [], `${name} breaks no rule of axe`);
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}
