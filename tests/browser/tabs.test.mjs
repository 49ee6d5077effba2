// The seat map in many tabs: streams must not take all of a browser's six connections to a site.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage } from './support/browser.mjs';
import { waitForMap } from './support/map.mjs';
import { createBuyer, openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

let service, browser, end;
before(async () => ({ service, browser, end } = await startStage()));
after(() => end?.());

/** Opens tabs of one reader, each with the first section of the map open. */
async function openTabs(sale, count) {
  const first = await openPage(browser, service);
  const all = [first];
  while (all.length < count) all.push(await first.context().newPage());
  for (const page of all) {
    page.streams = 0;
    page.on('request', (request) => (page.streams += Number(/\/seats\/stream\?/.test(request.url()))));
    await page.goto(`/schedules/${sale.id}/seats`);
    await waitForMap(page);
    await page.locator('#section-select').selectOption('0');
  }
  return all;
}

const takenSeat = (page, seat) => page.locator(`button[data-seat="${seat}"].seat-taken`);

/** Sets the page's visibility state. */
const setVisibility = (page, state) =>
  page.evaluate((now) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => now });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);

/** Returns the tab that opens the stream next. */
const nextStreaming = (pages) => Promise.race(pages.map((page) => page.waitForRequest(/\/seats\/stream\?/).then(() => page)));

test('six tabs of the map leave room for a seventh page, and all show changes', async () => {
  const sale = await openSale(service);
  const pages = await openTabs(sale, 6);
  const { held, pending } = await pages[0].evaluate(() => navigator.locks.query());
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
