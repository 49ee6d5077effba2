// From the seat map to the receipt: by clicks and by keyboard alone, on a desktop and on a phone, in
// both languages.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAccessible, DESKTOP, openPage, PHONE, takeScreenshot, tabTo, VARIANTS } from './support/browser.mjs';
import { openMapInTurn, locateMap } from './support/map.mjs';
import { createBuyer, openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

/** @import * as Api from '../../web/js/onsale/types.d.ts' */

/** @type {import('./support/service.mjs').Service} */
let service;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {() => Promise<void>} */
let end;
before(async () => ({ service, browser, end } = await startStage()));
after(() => end?.());

const PAID = { en: 'Payment complete. The seats are yours.', ko: '결제가 완료되었습니다' };

for (const { name, size, lang, dark } of VARIANTS) {
  test(`seats are bought by clicks: ${name}`, async () => {
    const sale = await openSale(service);
    const who = await createBuyer(service, { sale, points: 50_000 });
    const page = await openPage(browser, service, { who, size, lang, dark });
    await openMapInTurn(page, sale);
    await takeScreenshot(page, `seats-${name}`);
    await assertAccessible(page, 'the map');

    // On a phone the seats are too small at first, so a tap opens the section.
    if (size.hasTouch) await page.touchscreen.tap(...(await locateMap(page, sale)).section(1));
    else await page.locator('#section-select').selectOption('1');
    await page.locator('#section-open').waitFor();
    assert.equal(await page.locator('#section-name').textContent(), 'Circle');
    await page.locator('.seat-free').nth(3).click();
    await page.locator('.seat-free').nth(5).click();
    await page.locator('.chip').nth(1).waitFor();
    await page.evaluate(() => scrollTo(0, 0));
    await page.waitForTimeout(500);
    await takeScreenshot(page, `picked-${name}`);
    await assertAccessible(page, 'two seats picked');
    await page.locator('#hold').click();

    await page.waitForURL('**/holds/*');
    await page.locator('#left').waitFor();
    await takeScreenshot(page, `checkout-${name}`, { full: true });
    await assertAccessible(page, 'the checkout, with too few points');
    await page.locator('.order-seats li').nth(1).waitFor();
    assert.equal(await page.locator('.order-seats li').count(), 2);
    await page.locator('#pay').click();
    await page.getByRole('heading', { name: PAID[lang] }).waitFor();
    await page.waitForTimeout(300);
    await takeScreenshot(page, `receipt-${name}`, { full: true });
    await assertAccessible(page, 'the receipt');

    await page.goto('/me');
    await page.locator('.stub').nth(1).waitFor();
    await takeScreenshot(page, `me-${name}`, { full: true });
    await assertAccessible(page, 'my tickets');
    const { items } = await who.ask('GET', '/v1/reservations?status=COMPLETE');
    assert.deepEqual(
      items.map((/** @type {Api.BalanceChange} */ { amount }) => amount),
      [110_000, 110_000],
    );
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

test('seats are picked on the map itself, and the seat under the mouse is named', async () => {
  const sale = await openSale(service);
  const who = await createBuyer(service, { sale, points: 200_000 });
  const page = await openPage(browser, service, { who });
  await openMapInTurn(page, sale);
  const map = await locateMap(page, sale);
  assert.ok(map.view.scale >= 11, 'in a venue this small, seats can be picked at once');
  await page.mouse.move(...map.seat(37));
  await page.locator('#map-here').filter({ hasText: 'seat 38' }).waitFor();
  await page.mouse.click(...map.seat(37));
  await page.locator('.chip').filter({ hasText: 'seat 38' }).waitFor();
  await page.mouse.click(...map.seat(37));
  await page.locator('.picks-hint').waitFor();
  await page.context().close();
});

for (const { name, size, lang, dark } of VARIANTS.slice(2)) {
  test(`seats are bought by keyboard alone: ${name}`, async () => {
    const sale = await openSale(service);
    const who = await createBuyer(service, { sale, points: 0 });
    const page = await openPage(browser, service, { who, size, lang, dark });
    await openMapInTurn(page, sale);
    await tabTo(page, '#section-select');
    await page.keyboard.press('ArrowDown');
    await page.locator('#section-open').waitFor();
    await tabTo(page, '#section-rows button');
    for (const key of ['ArrowRight', 'ArrowDown', 'Enter', 'ArrowRight', ' ']) await page.keyboard.press(key);
    await page.locator('.chip').nth(1).waitFor();
    assert.equal(await page.locator('.seat[aria-pressed=true]').count(), 2);
    await tabTo(page, '#hold');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/holds/*');
    await page.locator('#pay').waitFor();
    await tabTo(page, '#pay');
    await page.keyboard.press('Enter');
    await page.locator('h1:focus').filter({ hasText: PAID[lang] }).waitFor();
    await page.context().close();
  });
}

test('the map is moved, zoomed and opened by keyboard', async () => {
  const sale = await openSale(service);
  const who = await createBuyer(service, { sale });
  const page = await openPage(browser, service, { who });
  await openMapInTurn(page, sale);
  await tabTo(page, '#map');
  for (const key of ['+', '+', 'ArrowLeft', 'ArrowUp', '-', '0']) await page.keyboard.press(key);
  await page.waitForTimeout(400);
  await page.keyboard.press('+');
  // Until there is a seat in the middle, not an aisle.
  const announced = page.locator('#polite').filter({ hasText: /seat \d+ .* available$/ });
  for (let steps = 0; steps < 10 && !(await announced.count()); steps++) {
    await page.keyboard.press('ArrowDown');
    await page.waitForTimeout(600);
  }
  await page.keyboard.press('Enter');
  await page.locator('.chip').waitFor();
  await page.context().close();
});

test('the best available seats are previewed on the map, then held', async () => {
  const sale = await openSale(service);
  const who = await createBuyer(service, { sale });
  const page = await openPage(browser, service, { who });
  await openMapInTurn(page, sale);
  await page.locator('#best-more').click();
  await page.locator('#best-section').selectOption({ label: 'Balcony' });
  await page.locator('#best-show').click();
  await page.locator('#best-found').filter({ hasText: 'Balcony' }).waitFor();
  assert.equal(await page.locator('.chip').count(), 3);
  const shown = await page.locator('.chip span:nth-child(2)').allTextContents();
  await takeScreenshot(page, 'best-shown');
  await page.locator('#best-hold').click();
  await page.waitForURL('**/holds/*');
  await page.locator('.order-seats li').nth(2).waitFor();
  assert.deepEqual(await page.locator('.order-seats li span').allTextContents(), shown, 'the previewed seats are held');
  await page.context().close();
});

/** The seat numbers that a buyer holds. */
const heldSeats = async (/** @type {import('./support/sale.mjs').Buyer} */ who) => {
  /** @type {Api.List<Api.Reservation>} */
  const { items } = await who.ask('GET', '/v1/reservations');
  return items.map(({ seat_number }) => seat_number).sort((one, other) => one - other);
};

test('the preview shows the seats that a hold of the best would get', async () => {
  const sale = await openSale(service);
  const [who, other] = [await createBuyer(service, { sale }), await createBuyer(service, { sale })];
  const page = await openPage(browser, service, { who });
  await openMapInTurn(page, sale);
  await page.locator('#best-show').click();
  await page.locator('#best-found').filter({ hasText: 'seats 1 and 2' }).waitFor();
  await other.hold({ quantity: 2 });
  assert.deepEqual(await heldSeats(other), [1, 2]);
  await page.context().close();
});

test('the previewed seats are held, even if better ones were released meanwhile', async () => {
  const sale = await openSale(service);
  const [who, other] = [await createBuyer(service, { sale }), await createBuyer(service, { sale })];
  const before = await other.hold({ quantity: 2 });
  const page = await openPage(browser, service, { who });
  await openMapInTurn(page, sale);
  await page.locator('#best-show').click();
  await page.locator('#best-found').filter({ hasText: 'seats 3 and 4' }).waitFor();
  await other.ask('DELETE', `/v1/holds/${before.hold_id}`);
  await page.locator('#best-hold').click();
  await page.waitForURL('**/holds/*');
  assert.deepEqual(await heldSeats(who), [3, 4]);
  await page.context().close();
});

for (const withoutStream of [false, true]) {
  test(`when another buyer takes a previewed seat, the next best are shown (${withoutStream ? 'by the refusal' : 'by the stream'})`, async () => {
    const sale = await openSale(service);
    const [who, other] = [await createBuyer(service, { sale }), await createBuyer(service, { sale })];
    const page = await openPage(browser, service, { who, size: withoutStream ? PHONE : DESKTOP });
    if (withoutStream) await page.route(/seats\/(stream|status\?)/, (route) => route.abort());
    await openMapInTurn(page, sale);
    await page.locator('#best-show').click();
    await page.locator('#best-found').filter({ hasText: 'seats 1 and 2' }).waitFor();
    await other.hold({ seat_ids: [sale.seats[1].id] });
    if (withoutStream) await page.locator('#best-hold').click();
    const said = page.locator('#best-found').filter({ hasText: 'Someone else got there first' }).filter({ hasText: 'seats 3 and 4' });
    await said.waitFor();
    assert.ok(await page.locator('#rival').isHidden(), 'the best seats, not the nearest');
    assert.deepEqual(await heldSeats(who), [], 'nothing is held that was not previewed');
    await takeScreenshot(page, `best-lost-${withoutStream ? 'phone' : 'desktop'}`);
    await assertAccessible(page, 'a best seat was taken');
    await page.locator('#best-hold').click();
    await page.waitForURL('**/holds/*');
    assert.deepEqual(await heldSeats(who), [3, 4]);
    await page.context().close();
  });
}

test('an excluded price is excluded from the best seats too, in the preview and in the hold', async () => {
  const sale = await openSale(service);
  for (const shown of [true, false]) {
    const who = await createBuyer(service, { sale });
    const page = await openPage(browser, service, { who });
    await openMapInTurn(page, sale);
    await page.locator('#bands input').first().uncheck();
    if (shown) await page.locator('#best-show').click();
    if (shown) await page.locator('#best-found').filter({ hasText: 'Circle' }).waitFor();
    await page.locator('#best-hold').click();
    await page.waitForURL('**/holds/*');
    await page.locator('.order-seats').filter({ hasText: 'Circle' }).waitFor();
    await page.context().close();
  }
});
