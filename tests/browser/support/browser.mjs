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

/** @typedef {import('playwright-core').Browser} Browser */
/**
 * The size and the kind of a screen.
 * @typedef {{ viewport: { width: number, height: number }, deviceScaleFactor?: number, isMobile?: boolean, hasTouch?: boolean }} Size
 */
/** @typedef {'en' | 'ko'} Lang */
/**
 * Screens, languages and colour schemes in which the main journeys are made.
 * @type {{ name: string, size: Size, lang: Lang, dark: boolean }[]}
 */
export const VARIANTS = [
  { name: 'desktop-en', size: DESKTOP, lang: 'en', dark: false },
  { name: 'phone-ko', size: PHONE, lang: 'ko', dark: false },
  { name: 'phone-en-dark', size: PHONE, lang: 'en', dark: true },
  { name: 'desktop-ko-dark', size: DESKTOP, lang: 'ko', dark: true },
];

/**
 * A page that collects its faults: script errors, and violations of the Content-Security-Policy.
 * @typedef {import('playwright-core').Page & { faults: string[] }} Page
 */

/**
 * Opens a page in a new context, signed in as `who` if given.
 * @param {Browser} browser
 * @param {{ base: string }} service
 * @param {{ who?: Pick<import('./sale.mjs').Buyer, 'session' | 'tickets'> | null, size?: Size, lang?: Lang, dark?: boolean }} [how]
 * @returns {Promise<Page>}
 */
export async function openPage(browser, service, { who = null, size = DESKTOP, lang = 'en', dark = false } = {}) {
  const context = await browser.newContext({
    ...size,
    baseURL: service.base,
    // A proxy of a test has a certificate of its own.
    ignoreHTTPSErrors: true,
    locale: lang === 'ko' ? 'ko-KR' : 'en-US',
    timezoneId: 'Asia/Seoul',
    colorScheme: dark ? 'dark' : 'light',
  });
  if (who) {
    /** @type {Record<string, unknown>} */
    const kept = { 'onsale.session': who.session };
    for (const [sale, ticket] of Object.entries(who.tickets)) kept[`onsale.ticket.${sale}`] = ticket;
    await context.addInitScript((values) => {
      for (const [key, value] of Object.entries(values)) {
        if (localStorage.getItem(key) === null) localStorage.setItem(key, JSON.stringify(value));
      }
    }, kept);
  }
  const page = Object.assign(await context.newPage(), { faults: /** @type {string[]} */ ([]) });
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) page.faults.push(message.text());
  });
  return page;
}

/**
 * Asserts that the page in its current state violates no rule of WCAG 2.2 AA.
 * @param {import('playwright-core').Page} page
 * @param {string} state names the state in the failure
 */
export async function assertAccessible(page, state) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  const problems = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html}\n    ${node.failureSummary}`).join('\n  ')}`,
  );
  assert.deepEqual(problems, [], `${state}:\n${problems.join('\n')}`);
}

/**
 * Clicks a button of each page at the same moment. A click by a locator waits until the button is enabled, so
 * the second page would wait without end where the first page's click has disabled its button.
 * @param {import('playwright-core').Page[]} pages @param {string} selector
 */
export async function clickAtOnce(pages, selector) {
  await Promise.all(pages.map((page) => page.locator(selector).evaluate((button) => /** @type {HTMLElement} */ (button).click())));
}

/** The text of an element; empty if it has none. @param {import('playwright-core').Locator} locator */
export const readText = async (locator) => (await locator.textContent()) ?? '';

/** Sets the clock of a page wrong, from its next load on. @param {import('playwright-core').Page} page @param {number} hours */
export async function shiftClock(page, hours) {
  await page.addInitScript((ms) => {
    const Right = Date;
    const shifted = () => Right.now() + ms;
    globalThis.Date = new Proxy(Right, {
      construct: (target, given) => Reflect.construct(target, given.length === 0 ? [shifted()] : given),
      get: (target, name) => (name === 'now' ? shifted : Reflect.get(target, name)),
    });
  }, hours * 3_600_000);
}

/** Saves a screenshot. @param {import('playwright-core').Page} page @param {string} name @param {{ full?: boolean }} [how] */
export async function takeScreenshot(page, name, { full = false } = {}) {
  await page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: full });
}

/**
 * Presses Tab until the focused element matches.
 * @param {import('playwright-core').Page} page @param {string} selector @param {number} [most]
 */
export async function tabTo(page, selector, most = 120) {
  for (let presses = 0; presses < most; presses++) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not reach ${selector}`);
}
