// Several buyers want the same seats: the later one sees which are taken and gets offers. Lost answers do
// no harm.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAccessible, clickAtOnce, DESKTOP, openPage, PHONE, readText, takeScreenshot } from './support/browser.mjs';
import { openMapInTurn } from './support/map.mjs';
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
 * Opens the map and picks seats of the first section, by their index.
 * @param {import('./support/sale.mjs').Sale} sale @param {import('./support/sale.mjs').Buyer} who @param {number[]} seats
 * @param {{ size?: import('./support/browser.mjs').Size, withoutStream?: boolean }} [how]
 */
async function openWithPicks(sale, who, seats, { size = DESKTOP, withoutStream = false } = {}) {
  const page = await openPage(browser, service, { who, size });
  if (withoutStream) await page.route(/seats\/(stream|status\?)/, (route) => route.abort());
  await openMapInTurn(page, sale);
  await page.locator('#section-select').selectOption('0');
  for (const seat of seats) await page.locator(`button[data-seat="${seat}"]`).click();
  await page
    .locator('.chip')
    .nth(seats.length - 1)
    .waitFor();
  return page;
}

test('of two buyers who want one seat one gets it, and the other is notified and takes another', async () => {
  const sale = await openSale(service);
  const [one, other] = [await createBuyer(service, { sale, name: 'One' }), await createBuyer(service, { sale, name: 'Other' })];
  const [first, second] = [await openWithPicks(sale, one, [20]), await openWithPicks(sale, other, [20], { size: PHONE })];
  await clickAtOnce([first, second], '#hold');
  const won = await Promise.race([first, second].map((page) => page.waitForURL('**/holds/*').then(() => page)));
  const lost = won === first ? second : first;
  await lost.locator('#rival').filter({ hasText: 'seat 21' }).waitFor();
  assert.ok((await lost.locator('.offer').count()) >= 1);
  await takeScreenshot(lost, 'rival-phone');
  await assertAccessible(lost, 'another buyer took the seat');
  await lost.locator('.offer').first().click();
  await lost.waitForURL('**/holds/*');
  const { items } = await (won === first ? other : one).ask('GET', '/v1/reservations');
  assert.equal(items.length, 1);
  assert.notEqual(items[0].seat_number, 21);
  await Promise.all([first, second].map((page) => page.context().close()));
});

test('a picked seat that another buyer takes is reported at once, without a click', async () => {
  const sale = await openSale(service);
  const page = await openWithPicks(sale, await createBuyer(service, { sale }), [30, 31]);
  const rival = await createBuyer(service, { sale, name: 'Rival' });
  await rival.hold({ seat_ids: [sale.seats[30].id, sale.seats[40].id] });
  await page.locator('#rival').filter({ hasText: 'seat 31' }).waitFor();
  const said = await readText(page.locator('.rival-what'));
  assert.doesNotMatch(said, /32|41/, 'only picked seats that were lost');
  assert.equal(await page.locator('.chip').count(), 1);
  await page.locator('button[data-seat="40"].seat-taken').waitFor();
  await takeScreenshot(page, 'rival-desktop');
  await page.context().close();
});

test('without the stream the refusal shows which seat', async () => {
  const sale = await openSale(service);
  const page = await openWithPicks(sale, await createBuyer(service, { sale }), [50], { withoutStream: true });
  const rival = await createBuyer(service, { sale, name: 'Rival' });
  await rival.hold({ seat_ids: [sale.seats[50].id] });
  await page.locator('#hold').click();
  await page.locator('#rival').filter({ hasText: 'seat 51' }).waitFor();
  await page.locator('.offer:focus').waitFor();
  await page.context().close();
});

test('seats that the buyer holds in another tab are not reported as lost', async () => {
  const sale = await openSale(service);
  const who = await createBuyer(service, { sale });
  const page = await openWithPicks(sale, who, [60]);
  await who.hold({ seat_ids: [sale.seats[60].id] });
  await page.locator('#held').filter({ hasText: '1 seat held for you' }).waitFor();
  assert.ok(await page.locator('#rival').isHidden());
  await page.locator('button[data-seat="60"].seat-mine').waitFor();
  await page.context().close();
});

test('picked seats that are still free survive a reload', async () => {
  const sale = await openSale(service);
  const page = await openWithPicks(sale, await createBuyer(service, { sale }), [90, 91]);
  await (await createBuyer(service, { sale, name: 'Rival' })).hold({ seat_ids: [sale.seats[91].id] });
  await page.locator('#rival').waitFor();
  await page.reload();
  await page.locator('.chip').filter({ hasText: 'seat 91' }).waitFor();
  assert.equal(await page.locator('.chip').count(), 1);
  await page.context().close();
});

test('no more seats than the limit can be picked, including those that the buyer has', async () => {
  const sale = await openSale(service, { queue: { max_seats_per_user: 3 } });
  const who = await createBuyer(service, { sale });
  await who.hold({ seat_ids: [sale.seats[0].id] });
  const page = await openWithPicks(sale, who, [70, 71]);
  await page.locator('button[data-seat="72"]').click();
  await page.locator('.toast').filter({ hasText: '3 seats' }).waitFor();
  assert.equal(await page.locator('.chip').count(), 2);
  await page.context().close();
});

test('after a lost answer to a hold, trying again gets the same seats', async () => {
  const sale = await openSale(service);
  const who = await createBuyer(service, { sale });
  const page = await openWithPicks(sale, who, [80]);
  /** @type {(string | undefined)[]} */
  const keys = [];
  await page.route('**/reservations', async (route) => {
    keys.push(route.request().headers()['idempotency-key']);
    if (keys.length > 1) return route.continue();
    await route.fetch();
    return route.abort();
  });
  await page.locator('#hold').click();
  await page.waitForURL('**/holds/*');
  assert.equal(new Set(keys).size, 1);
  assert.ok(keys.length >= 2);
  assert.equal((await who.ask('GET', '/v1/reservations')).items.length, 1);
  await page.context().close();
});
