// The seat map for readers who can't buy yet, on bad networks, and with hostile texts.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAccessible, openPage, PHONE, readText, takeScreenshot } from './support/browser.mjs';
import { openMapInTurn, waitForMap } from './support/map.mjs';
import { startProxy } from './support/proxy.mjs';
import { createBuyer, call, openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/service.mjs').Service} */
let service;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {() => Promise<void>} */
let end;
before(async () => ({ service, browser, end } = await startStage()));
after(() => end?.());

test('a visitor without a ticket sees the map and a link to the queue', async () => {
  const sale = await openSale(service);
  for (const [name, size] of /** @type {const} */ ([
    ['desktop', undefined],
    ['phone', PHONE],
  ])) {
    const page = await openPage(browser, service, { size });
    await page.goto(`/schedules/${sale.id}/seats`);
    await waitForMap(page);
    const line = page.getByRole('link', { name: 'Join the line' });
    await line.waitFor();
    assert.equal(await line.getAttribute('href'), `/schedules/${sale.id}/wait`);
    await page.locator('#section-select').selectOption('2');
    await page.locator('.seat-free').first().click();
    await page.locator('.toast').filter({ hasText: "when it's your turn" }).waitFor();
    await takeScreenshot(page, `looking-${name}`);
    await assertAccessible(page, 'looking around');
    // All seats of a section cost the same, so without their price none is offered.
    const prices = page.locator('#bands input');
    for (let at = 0; at < (await prices.count()); at += 1) await prices.nth(at).uncheck();
    await page.waitForFunction(() => document.querySelector('.seat-out') && !document.querySelector('.seat-free:not(.seat-out)'));
    await assertAccessible(page, 'prices left out');
    await prices.first().check();
    await page.context().close();
  }
});

test('a waiting reader sees a link to their place, and can pick seats once admitted', async () => {
  const sale = await openSale(service, { queue: { capacity: 0 } });
  const who = await createBuyer(service, { sale });
  const page = await openPage(browser, service, { who });
  await page.goto(`/schedules/${sale.id}/seats`);
  await waitForMap(page);
  await page.getByRole('link', { name: 'Back to my place' }).waitFor();
  await assertAccessible(page, 'waiting');
  await call(service, 'PATCH', `/v1/admin/schedules/${sale.id}/queue`, { token: service.admin, body: { capacity: 10 } });
  await page.locator('#turn-clock').filter({ hasText: ':' }).waitFor({ timeout: 30_000 });
  await page.context().close();
});

test('when the turn is over the page says so', async () => {
  const sale = await openSale(service, { queue: { active_ttl_seconds: 3 } });
  const who = await createBuyer(service, { sale });
  const page = await openPage(browser, service, { who });
  await page.goto(`/schedules/${sale.id}/seats`);
  await page.getByText('Your time to choose seats is over').waitFor({ timeout: 20_000 });
  await page.getByRole('link', { name: 'Join the line again' }).waitFor();
  await assertAccessible(page, 'the turn is over');
  await page.context().close();
});

test('after a lost connection the map shows its time, and catches up', async () => {
  const sale = await openSale(service);
  const way = await startProxy(service.base);
  const page = await openPage(browser, way);
  await page.goto(`/schedules/${sale.id}/seats`);
  await waitForMap(page);
  await page.locator('#section-select').selectOption('0');
  way.cut();
  await page.locator('#live').filter({ hasText: 'No connection' }).waitFor({ timeout: 60_000 });
  await takeScreenshot(page, 'offline');
  await assertAccessible(page, 'offline');
  const who = await createBuyer(service, { sale });
  await who.hold({ seat_ids: [sale.seats[5].id] });
  assert.equal(await page.locator('button[data-seat="5"].seat-free').count(), 1);
  way.restore();
  await page.locator('button[data-seat="5"].seat-taken').waitFor({ timeout: 60_000 });
  await page.locator('#live').waitFor({ state: 'hidden' });
  await page.context().close();
  await way.end();
});

test('hostile titles, names of sections and messages are shown as text', async () => {
  const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>';
  const sections = [
    { name: '<b>A</b>"\'&', rows: 2, seats_per_row: 4, seat_price: 10 },
    { name: '\u202eabc\u202c مرحبا', rows: 2, seats_per_row: 4, seat_price: 20 },
  ];
  const sale = await openSale(service, { title: `${evil} \u202e`, sections, queue: { message: evil.repeat(10) } });
  const who = await createBuyer(service, { sale, name: evil.slice(0, 100), points: 1000 });
  const page = await openPage(browser, service, { who, size: PHONE });
  page.on('dialog', () => assert.fail('a script ran'));
  await openMapInTurn(page, sale);
  assert.equal(await page.locator('main img, main script').count(), 0);
  await page.locator('#section-select').selectOption('1');
  await page.locator('.seat-free').first().click();
  await page.locator('.chip').waitFor();
  await takeScreenshot(page, 'hostile');
  await page.locator('#hold').click();
  await page.locator('#pay').click();
  await page.getByRole('heading', { name: 'Payment complete. The seats are yours.' }).waitFor();
  await page.goto('/me');
  await page.locator('.stub').waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `wider than the screen by ${wide}`);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('nothing is cut off on a screen of 320 pixels, nor at 200 % zoom', async () => {
  const sale = await openSale(service);
  const who = await createBuyer(service, { sale, points: 100_000 });
  const hold = await who.hold({ quantity: 2, max_price: 70_000 });
  for (const size of [{ viewport: { width: 320, height: 640 } }, { viewport: { width: 640, height: 430 }, deviceScaleFactor: 2 }]) {
    const page = await openPage(browser, service, { who, size });
    for (const path of [`/schedules/${sale.id}/seats`, `/holds/${hold.hold_id}`, '/me']) {
      await page.goto(path);
      await page.waitForLoadState('networkidle').catch(() => {});
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${path} at ${size.viewport.width} is wider by ${wide}`);
    }
    await page.goto(`/schedules/${sale.id}/seats`);
    await waitForMap(page);
    await takeScreenshot(page, `narrow-${size.viewport.width}`, { full: true });
    await page.context().close();
  }
});

test('an unknown schedule gets an error page in the reader’s language', async () => {
  const page = await openPage(browser, service, { lang: 'ko' });
  const answer = await page.goto('/schedules/999999/seats');
  assert.equal(answer?.status(), 404);
  assert.match(await readText(page.locator('main')), /찾을 수 없습니다/);
  await page.context().close();
});
