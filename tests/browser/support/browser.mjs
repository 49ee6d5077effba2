// Browsers: pages of a user, size and language; screenshots; and accessibility checks with axe.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SHOTS = fileURLToPath(new URL('../shots/', import.meta.url));

export const DESKTOP = { viewport: { width: 1280, height: 860 } };
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

/** Launches the system's Chromium. */
export function launch() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/**
 * Opens a page in a new context, signed in as `who` if given. Collects script errors and violations of the
 * Content-Security-Policy in `page.faults`.
 */
export async function openPage(browser, service, { who = null, size = DESKTOP, lang = 'en', dark = false } = {}) {
  const context = await browser.newContext({
    ...size,
    baseURL: service.base,
    locale: lang === 'ko' ? 'ko-KR' : 'en-US',
    timezoneId: 'Asia/Seoul',
    colorScheme: dark ? 'dark' : 'light',
  });
  if (who) {
    const kept = { 'onsale.session': who.session };
    for (const [sale, ticket] of Object.entries(who.tickets)) kept[`onsale.ticket.${sale}`] = ticket;
    await context.addInitScript((values) => {
      for (const [key, value] of Object.entries(values)) {
        if (localStorage.getItem(key) === null) localStorage.setItem(key, JSON.stringify(value));
      }
    }, kept);
  }
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) page.faults.push(message.text());
  });
  return page;
}

/** Asserts that the page in its current state violates no rule of WCAG 2.2 AA. */
export async function assertAccessible(page, state) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  );
  const problems = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html}\n    ${node.failureSummary}`).join('\n  ')}`,
  );
  assert.deepEqual(problems, [], `${state}:\n${problems.join('\n')}`);
}

/** Saves a screenshot. */
export async function takeScreenshot(page, name, { full = false } = {}) {
  await page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: full });
}

/** Presses Tab until the focused element matches. */
export async function tabTo(page, selector, most = 120) {
  for (let presses = 0; presses < most; presses++) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not reach ${selector}`);
}
