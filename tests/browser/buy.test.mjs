// From the seat map to the receipt: by clicks and by keys alone, on a desktop and on a phone, in
// both languages.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { accessible, DESKTOP, open, PHONE, shot, tabTo } from './support/browser.mjs';
import { choosing, mapOf } from './support/map.mjs';
import { buyer, openSale } from './support/sale.mjs';
import { stage } from './support/stage.mjs';

let service, browser, end;
before(async () => ({ service, browser, end } = await stage()));
after(() => end?.());

const SIZES = { desktop: DESKTOP, phone: PHONE };
const PAID = { en: 'Paid. The seats are yours.', ko: '결제가 완료되었습니다' };

for (const [size, lang, dark] of [['desktop', 'en', false], ['phone', 'ko', false], ['phone', 'en', true], ['desktop', 'ko', true]]) {
  const name = `${size}-${lang}${dark ? '-dark' : ''}`;
  test(`seats are bought by clicks: ${name}`, async () => {
    const sale = await openSale(service);
    const who = await buyer(service, { sale, points: 50_000 });
    const page = await open(browser, service, { who, size: SIZES[size], lang, dark });
    await choosing(page, sale);
    await shot(page, `seats-${name}`);
    await accessible(page, 'the map');

    // On a phone the seats are too small at first: a tap opens the section.
    if (size === 'phone') await page.touchscreen.tap(...(await mapOf(page, sale)).section(1));
    else await page.locator('#section-select').selectOption('1');
    await page.locator('#section-open').waitFor();
    assert.equal(await page.locator('#section-name').textContent(), 'Circle');
    await page.locator('.seat-free').nth(3).click();
    await page.locator('.seat-free').nth(5).click();
    await page.locator('.chip').nth(1).waitFor();
    await page.evaluate(() => scrollTo(0, 0));
    await page.waitForTimeout(500);
    await shot(page, `picked-${name}`);
    await accessible(page, 'two seats picked');
    await page.locator('#hold').click();

    await page.waitForURL('**/holds/*');
    await page.locator('#left').waitFor();
    await shot(page, `checkout-${name}`, { full: true });
    await accessible(page, 'the checkout, with too few points');
    await page.locator('.order-seats li').nth(1).waitFor();
    assert.equal(await page.locator('.order-seats li').count(), 2);
    await page.locator('.charge button[type=submit]').click();
    await page.locator('#pay:not([aria-disabled])').waitFor();
    await page.locator('#pay').click();
    await page.getByRole('heading', { name: PAID[lang] }).waitFor();
    await page.waitForTimeout(300);
    await shot(page, `receipt-${name}`, { full: true });
    await accessible(page, 'the receipt');

    await page.goto('/me');
    await page.locator('.stub').nth(1).waitFor();
    await shot(page, `me-${name}`, { full: true });
    await accessible(page, 'my tickets');
    const { items } = await who.ask('GET', '/v1/reservations?status=COMPLETE');
    assert.deepEqual(items.map(({ amount }) => amount), [110_000, 110_000]);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

test('seats are picked on the map itself, and the way the mouse points says which', async () => {
  const sale = await openSale(service);
  const who = await buyer(service, { sale, points: 200_000 });
  const page = await open(browser, service, { who });
  await choosing(page, sale);
  const map = await mapOf(page, sale);
  assert.ok(map.view.scale >= 11, 'so small a venue is shown with seats to pick');
  await page.mouse.move(...map.seat(37));
  await page.locator('#map-here').filter({ hasText: 'seat 38' }).waitFor();
  await page.mouse.click(...map.seat(37));
  await page.locator('.chip').filter({ hasText: 'seat 38' }).waitFor();
  await page.mouse.click(...map.seat(37));
  await page.locator('.picks-hint').waitFor();
  await page.context().close();
});

for (const [size, lang] of [['desktop', 'ko'], ['phone', 'en']]) {
  test(`seats are bought by keys alone: ${size}, ${lang}`, async () => {
    const sale = await openSale(service);
    const who = await buyer(service, { sale, points: 0 });
    const page = await open(browser, service, { who, size: SIZES[size], lang });
    await choosing(page, sale);
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
    await page.locator('.charge').waitFor();
    await tabTo(page, '.charge button[type=submit]');
    await page.keyboard.press('Enter');
    await page.locator('#pay:focus').waitFor();
    await page.keyboard.press('Enter');
    await page.locator('h1:focus').filter({ hasText: PAID[lang] }).waitFor();
    await page.context().close();
  });
}

test('the map is moved, zoomed and opened by keys', async () => {
  const sale = await openSale(service);
  const who = await buyer(service, { sale });
  const page = await open(browser, service, { who });
  await choosing(page, sale);
  await tabTo(page, '#map');
  for (const key of ['+', '+', 'ArrowLeft', 'ArrowUp', '-', '0']) await page.keyboard.press(key);
  await page.waitForTimeout(400);
  await page.keyboard.press('+');
  // On until there is a seat in the middle, and not an aisle.
  const told = page.locator('#polite').filter({ hasText: /seat \d+ .* free$/ });
  for (let steps = 0; steps < 10 && !(await told.count()); steps++) {
    await page.keyboard.press('ArrowDown');
    await page.waitForTimeout(600);
  }
  await page.keyboard.press('Enter');
  await page.locator('.chip').waitFor();
  await page.context().close();
});

test('best available: shown on the map, and held at once', async () => {
  const sale = await openSale(service);
  const who = await buyer(service, { sale });
  const page = await open(browser, service, { who });
  await choosing(page, sale);
  await page.locator('#best-more').click();
  await page.locator('#best-section').selectOption({ label: 'Balcony' });
  await page.locator('#best-show').click();
  await page.locator('#best-found').filter({ hasText: 'Balcony' }).waitFor();
  assert.equal(await page.locator('.chip').count(), 3);
  await page.locator('#best-hold').click();
  await page.waitForURL('**/holds/*');
  await page.locator('.order-seats li').nth(2).waitFor();
  assert.equal(await page.locator('.order-seats li').count(), 3);
  assert.match(await page.locator('.order-seats').textContent(), /Balcony/);
  await page.context().close();
});
