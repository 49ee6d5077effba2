// Refunds of paid tickets.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import { assertAccessible, openPage, takeScreenshot } from './support/browser.mjs';
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

/** Creates a buyer who has paid for one seat. @param {import('./support/sale.mjs').Sale} sale */
async function createOwner(sale) {
  const who = await createBuyer(service, { sale, points: 500_000 });
  const hold = await who.hold({ quantity: 1, max_price: 70_000 });
  await who.pay(hold.hold_id);
  return who;
}

/** Opens the buyer's tickets. @param {import('./support/sale.mjs').Buyer} who */
async function openTickets(who) {
  const page = await openPage(browser, service, { who });
  await page.goto('/me');
  await page.locator('.stub').waitFor();
  return page;
}

test('a ticket is refunded once, after a confirmation, and its points come back', async () => {
  const who = await createOwner(await openSale(service));
  const page = await openTickets(who);
  let calls = 0;
  await page.route('**/refund', async (route) => {
    calls += 1;
    if (calls > 1) return route.continue();
    await route.fetch();
    return route.abort();
  });
  await page.locator('.stub button').click();
  await assertAccessible(page, 'the question');
  await takeScreenshot(page, 'refund');
  await page.locator('dialog button[value=yes]').click();
  await page.locator('#tickets-none').waitFor();
  assert.ok(calls >= 2);
  assert.equal((await who.ask('GET', '/v1/points')).amount, 500_000);
  await page.locator('#past-part summary').click();
  await page.locator('#past').filter({ hasText: 'Refunded' }).waitFor();
  await page.locator('#payments-part summary').click();
  await takeScreenshot(page, 'me-refunded', { full: true });
  await assertAccessible(page, 'after a refund');
  await page.context().close();
});

test('after the deadline refunds are closed, and the page says so', async () => {
  const closes = Date.now() + 12_000;
  const closing = await openSale(service, { closesIn: 12 });
  const who = await createOwner(closing);
  await setTimeout(Math.max(0, closes + 1000 - Date.now()));
  const page = await openTickets(who);
  assert.equal(await page.locator('.stub button').count(), 0);
  await page.getByText('Refunds closed at').waitFor();
  await page.context().close();
});
