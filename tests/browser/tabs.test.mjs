// The seat map in many tabs: streams must not take all of a browser's six connections to a site.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage } from './support/browser.mjs';
import { waitForMap } from './support/map.mjs';
import { createBuyer, openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/service.mjs').Service} */
let service;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {() => Promise<void>} */
let end;
before(async () => ({ service, browser, end } = await startStage()));
after(() => end?.());

/**
 * Opens tabs of one reader, each with the first section of the map open, that count their streams.
 * @param {import('./support/sale.mjs').Sale} sale @param {number} count
 */
async function openTabs(sale, count) {
  const context = (await openPage(browser, service)).context();
  while (context.pages().length < count) await context.newPage();
  const all = context.pages().map((page) => Object.assign(page, { streams: 0 }));
  for (const page of all) {
    page.on('request', (request) => (page.streams += Number(/\/seats\/stream\?/.test(request.url()))));
    await page.goto(`/schedules/${sale.id}/seats`);
    await waitForMap(page);
    await page.locator('#section-select').selectOption('0');
  }
  return all;
}

const takenSeat = (/** @type {import('playwright-core').Page} */ page, /** @type {number} */ seat) =>
  page.locator(`button[data-seat="${seat}"].seat-taken`);

/** Sets the page's visibility state. @param {import('playwright-core').Page} page @param {DocumentVisibilityState} state */
const setVisibility = (page, state) =>
  page.evaluate((now) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => now });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);

/** Returns the tab that opens the stream next. @param {import('playwright-core').Page[]} pages */
const nextStreaming = (pages) => Promise.race(pages.map((page) => page.waitForRequest(/\/seats\/stream\?/).then(() => page)));

test('six tabs of the map leave room for a seventh page, and all show changes', async () => {
  const sale = await openSale(service);
  const pages = await openTabs(sale, 6);
  const { held = [], pending = [] } = await pages[0].evaluate(() => navigator.locks.query());
  assert.deepEqual([held.length, pending.length], [1, 5], 'one tab has the stream');
  assert.deepEqual(
    pages.slice(1).map(({ streams }) => streams),
    [0, 0, 0, 0, 0],
    'the others poll',
  );
  const seventh = await pages[0].context().newPage();
  await seventh.goto(`/concerts/${sale.concert}`, { timeout: 10_000 });
  await seventh.locator(`[data-schedule="${sale.id}"]`).waitFor();
  const rival = await createBuyer(service, { sale });
  await rival.hold({ seat_ids: [sale.seats[3].id] });
  for (const page of pages) await takenSeat(page, 3).waitFor();
  await pages[0].context().close();
});

test('closed and hidden tabs leave the stream to another tab, and hidden ones catch up', async () => {
  const sale = await openSale(service);
  const rival = await createBuyer(service, { sale });
  const pages = await openTabs(sale, 3);
  const [one, ...others] = pages;
  const second = nextStreaming(others);
  await one.close();
  const first = await second;
  const [last] = others.filter((page) => page !== first);
  const third = nextStreaming([last]);
  await setVisibility(first, 'hidden');
  await third;
  await rival.hold({ seat_ids: [sale.seats[5].id] });
  await takenSeat(last, 5).waitFor();
  assert.equal(await takenSeat(first, 5).count(), 0, 'it is hidden');
  await setVisibility(first, 'visible');
  await takenSeat(first, 5).waitFor();
  await last.locator('#live').waitFor({ state: 'hidden' });
  await last.context().close();
});
