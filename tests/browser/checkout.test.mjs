// Paying with late clocks, lost answers, double clicks and missing points.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAccessible, clickAtOnce, openPage, PHONE, readText, takeScreenshot } from './support/browser.mjs';
import { createBuyer, openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

/** @import * as Api from '../../web/js/onsale/types.d.ts' */

/** @type {import('./support/service.mjs').Service} */
let service;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {() => Promise<void>} */
let end;
/** @type {import('./support/sale.mjs').Sale} */
let sale;
before(async () => {
  ({ service, browser, end } = await startStage());
  sale = await openSale(service);
});
after(() => end?.());

/**
 * Opens the checkout of a buyer who holds a seat of the cheapest section and has points.
 * @param {{ points?: number, of?: import('./support/sale.mjs').Sale, size?: import('./support/browser.mjs').Size }} [how]
 */
async function openCheckout({ points = 500_000, of = sale, size } = {}) {
  const who = await createBuyer(service, { sale: of, points });
  const hold = await who.hold({ quantity: 1, max_price: 70_000 });
  const page = await openPage(browser, service, { who, size });
  await page.goto(`/holds/${hold.hold_id}`);
  await page.locator('#pay').waitFor();
  return { who, hold, page };
}

const waitForReceipt = (/** @type {import('playwright-core').Page} */ page) =>
  page.getByRole('heading', { name: 'Payment complete. The seats are yours.' }).waitFor();
/** @param {import('./support/sale.mjs').Buyer} who @param {'CHARGE' | 'PAYMENT' | 'REFUND'} wanted */
const listChanges = async (who, wanted) => {
  /** @type {Api.List<Api.BalanceChange>} */
  const { items } = await who.ask('GET', '/v1/points/history');
  return items.filter(({ kind }) => kind === wanted);
};
/** The amounts of the top-ups, oldest first. */
const listCharges = async (/** @type {import('./support/sale.mjs').Buyer} */ who) =>
  (await listChanges(who, 'CHARGE')).map(({ amount }) => amount).reverse();
const listPayments = (/** @type {import('./support/sale.mjs').Buyer} */ who) => listChanges(who, 'PAYMENT');

test('a double click pays once', async () => {
  const { who, page } = await openCheckout();
  await page.locator('#pay').dblclick();
  await waitForReceipt(page);
  assert.equal((await listPayments(who)).length, 1);
  assert.equal((await who.ask('GET', '/v1/points')).amount, 430_000);
  await page.context().close();
});

test('after a lost answer the page says so, tries again and pays once', async () => {
  const { who, page } = await openCheckout();
  /** @type {string[]} */
  const keys = [];
  let lost = true;
  await page.route('**/v1/payments', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    keys.push(route.request().headers()['idempotency-key']);
    if (!lost) return route.continue();
    await route.fetch();
    return route.abort();
  });
  await page.locator('#pay').click();
  await page.locator('#trouble').filter({ hasText: "don't know whether your payment went through" }).waitFor();
  lost = false;
  await takeScreenshot(page, 'unsure');
  await assertAccessible(page, 'an answer is missing');
  await waitForReceipt(page);
  assert.equal(new Set(keys).size, 1);
  assert.equal((await listPayments(who)).length, 1);
  await page.context().close();
});

test('a reload during the payment shows its result', async () => {
  const { who, page } = await openCheckout();
  await page.route('**/v1/payments', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    await route.fetch();
    return route.abort();
  });
  await page.locator('#pay').click();
  await page.locator('#trouble').filter({ hasText: "don't know whether" }).waitFor();
  await page.reload();
  await waitForReceipt(page);
  assert.equal((await listPayments(who)).length, 1);
  await page.context().close();
});

test('a payment that never arrived is repeated with the same key after a reload', async () => {
  const { who, page } = await openCheckout();
  /** @type {string[]} */
  const keys = [];
  let dead = true;
  await page.route('**/v1/payments', (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    keys.push(route.request().headers()['idempotency-key']);
    return dead ? route.abort() : route.continue();
  });
  await page.locator('#pay').click();
  await page.locator('#trouble').filter({ hasText: "don't know whether" }).waitFor();
  await page.reload();
  await page.locator('#trouble').filter({ hasText: 'You started a payment here' }).waitFor();
  dead = false;
  await page.locator('#pay').click();
  await waitForReceipt(page);
  assert.equal(new Set(keys).size, 1);
  assert.equal((await listPayments(who)).length, 1);
  await page.context().close();
});

test('if points are missing, the page shows how many, and tops up and pays with a new key', async () => {
  const { who, page } = await openCheckout({ points: 80_000 });
  /** @type {string[]} */
  const keys = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/v1/payments')) keys.push(request.headers()['idempotency-key']);
  });
  // The points are spent elsewhere while the page is open.
  const other = await who.hold({ quantity: 1, max_price: 70_000 });
  await who.pay(other.hold_id);
  await page.locator('#pay').click();
  await page.locator('.purse').filter({ hasText: '60,000 points more' }).waitFor();
  assert.equal(await page.locator('#pay').textContent(), 'Top up 60,000 points and pay ₩70,000');
  assert.deepEqual(await listCharges(who), [80_000], 'no points are added beyond the shown amount');
  await takeScreenshot(page, 'short');
  await assertAccessible(page, 'too few points');
  await page.locator('#pay').click();
  await waitForReceipt(page);
  assert.match(await readText(page.locator('.receipt-facts')), /60,000 points/);
  assert.equal(new Set(keys).size, 2);
  assert.deepEqual(await listCharges(who), [80_000, 60_000]);
  assert.equal((await who.ask('GET', '/v1/points')).amount, 0);
  await page.context().close();
});

test('a checkout open in another tab shows that the hold was paid', async () => {
  const { who, hold, page } = await openCheckout({ points: 10_000 });
  const other = await page.context().newPage();
  await other.goto(`/holds/${hold.hold_id}`);
  await other.locator('#pay').waitFor();
  await page.locator('#pay').click();
  await waitForReceipt(page);
  await waitForReceipt(other);
  assert.equal(await other.locator('#pay, #left').count(), 0, 'no countdown and nothing to pay');
  assert.deepEqual(await listCharges(who), [10_000, 60_000]);
  await page.context().close();
});

test('a checkout open on another device adds no points after the hold was paid', async () => {
  const { who, hold, page } = await openCheckout({ points: 10_000 });
  const device = await openPage(browser, service, { who });
  await device.goto(`/holds/${hold.hold_id}`);
  await device.locator('#pay').waitFor();
  await page.locator('#pay').click();
  await waitForReceipt(page);
  // It is not notified, so it still asks for the points.
  assert.equal(await device.locator('#pay').textContent(), 'Top up 60,000 points and pay ₩70,000');
  await device.locator('#pay').click();
  await waitForReceipt(device);
  assert.deepEqual(await listCharges(who), [10_000, 60_000]);
  assert.equal((await listPayments(who)).length, 1);
  await Promise.all([page, device].map((one) => one.context().close()));
});

test('a checkout that becomes visible again reloads its hold', async () => {
  const { who, hold, page } = await openCheckout({ points: 100_000 });
  await who.pay(hold.hold_id);
  await page.evaluate(() => window.dispatchEvent(new Event('focus')));
  await waitForReceipt(page);
  await page.context().close();
});

test('two tabs that top up and pay at the same moment top up once', async () => {
  const { who, hold, page } = await openCheckout({ points: 10_000 });
  const device = await openPage(browser, service, { who });
  await device.goto(`/holds/${hold.hold_id}`);
  await device.locator('#pay').waitFor();
  await clickAtOnce([page, device], '#pay');
  await Promise.all([waitForReceipt(page), waitForReceipt(device)]);
  assert.deepEqual(await listCharges(who), [10_000, 60_000]);
  assert.equal((await listPayments(who)).length, 1);
  await Promise.all([page, device].map((one) => one.context().close()));
});

test('a fully spent balance is 0, without a sign', async () => {
  for (const [points, lang] of /** @type {const} */ ([
    [70_000, 'en'],
    [10_000, 'ko'],
  ])) {
    const who = await createBuyer(service, { sale, points });
    const hold = await who.hold({ quantity: 1, max_price: 70_000 });
    const page = await openPage(browser, service, { who, lang });
    await page.goto(`/holds/${hold.hold_id}`);
    await page.locator('#pay').waitFor();
    assert.match(await readText(page.locator('.purse dd').nth(1)), /^0/);
    assert.doesNotMatch(await readText(page.locator('.purse')), /[-−]\s?0/);
    await takeScreenshot(page, `spent-${lang}`, { full: true });
    await page.context().close();
  }
});

test('an expired hold shows what happened and links back to the map', async () => {
  const short = await openSale(service, { queue: { hold_ttl_seconds: 6 } });
  for (const [name, size] of /** @type {const} */ ([
    ['desktop', undefined],
    ['phone', PHONE],
  ])) {
    const { page, who } = await openCheckout({ of: short, size });
    await page.getByRole('heading', { name: 'Your time to pay ran out' }).waitFor();
    await page.getByText('Others can reserve them 5 seconds after that time').waitFor();
    await takeScreenshot(page, `lapsed-${name}`);
    await assertAccessible(page, 'a lapsed hold');
    assert.equal((await listPayments(who)).length, 0);
    await page.getByRole('link', { name: 'Back to the seat map' }).click();
    await page.waitForURL(`**/schedules/${short.id}/seats`);
    await page.context().close();
  }
});

test('releasing asks for a confirmation and frees the seats', async () => {
  const { page, hold } = await openCheckout();
  await page.getByRole('button', { name: 'Release this seat' }).click();
  await assertAccessible(page, 'the question');
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await page.locator('#pay').waitFor();
  await page.getByRole('button', { name: 'Release this seat' }).click();
  await page.getByRole('button', { name: 'Release', exact: true }).click();
  await page.getByRole('heading', { name: 'You released these seats' }).waitFor();
  await assertAccessible(page, 'released');
  const other = await createBuyer(service, { sale });
  await other.hold({ seat_ids: [hold.reservations[0].seat_id] });
  await page.context().close();
});

test('other people’s holds and unknown holds are not found', async () => {
  const { hold } = await openCheckout();
  const other = await createBuyer(service, { name: 'Other' });
  const page = await openPage(browser, service, { who: other });
  for (const id of [hold.hold_id, '7d444840-9dc0-11d1-b245-5ffdce74fad2']) {
    await page.goto(`/holds/${id}`);
    await page.getByRole('heading', { name: 'Seats not found' }).waitFor();
    assert.equal(await page.locator('#pay, .order').count(), 0);
  }
  await takeScreenshot(page, 'absent');
  await assertAccessible(page, 'not found');
  assert.equal((await page.goto('/holds/nonsense'))?.status(), 404);
  const nobody = await openPage(browser, service);
  await nobody.goto(`/holds/${hold.hold_id}`);
  await nobody.getByRole('heading', { name: 'Sign in to see these seats' }).waitFor();
  await assertAccessible(nobody, 'not signed in');
});

test('the countdown is correct on a device whose clock is an hour wrong', async () => {
  const who = await createBuyer(service, { sale, points: 100_000 });
  const hold = await who.hold({ quantity: 1, max_price: 70_000 });
  const page = await openPage(browser, service, { who });
  await page.addInitScript(() => {
    const right = Date.now.bind(Date);
    Date.now = () => right() + 3_600_000;
  });
  await page.goto(`/holds/${hold.hold_id}`);
  await page.locator('#pay').waitFor();
  const [minutes, seconds] = (await readText(page.locator('#left'))).split(':').map(Number);
  const left = (Date.parse(hold.expires_at) - Date.now()) / 1000;
  assert.ok(Math.abs(minutes * 60 + seconds - left) < 3, `${minutes}:${seconds} of ${left}`);
  await page.context().close();
});

test('while the service does not respond the page says so, and it recovers', async () => {
  const who = await createBuyer(service, { sale, points: 100_000 });
  const hold = await who.hold({ quantity: 1, max_price: 70_000 });
  const page = await openPage(browser, service, { who });
  let away = true;
  await page.route('**/v1/**', (route) => (away ? route.abort() : route.continue()));
  await page.goto(`/holds/${hold.hold_id}`);
  await page.locator('.note-warn').filter({ hasText: "can't reach the service" }).waitFor();
  assert.equal(await page.locator('#pay, #left').count(), 0, 'nothing unknown is shown');
  away = false;
  await page.locator('#pay').waitFor();
  await page.context().close();
});
