// A place is kept: across reloads, in a second tab, on another device, while nobody is admitted.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAccessible, openPage, PHONE, takeScreenshot } from './support/browser.mjs';
import { waitForState, joinByPage, createQueue, waitForSlot, changeQueue } from './support/line.mjs';
import { openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

const readPlace = (/** @type {import('playwright-core').Page} */ page) => page.locator('[data-slot="place"]').first().textContent();

test('the place is the same after a reload, after going back, and in a second tab', async () => {
  const { sale, waiting, leave } = await createQueue(on.service, 2);
  const page = await openPage(on.browser, on.service);
  await joinByPage(page, sale);
  await waitForSlot(page, 'place', '3');
  await page.reload();
  await waitForSlot(page, 'place', '3');
  await page.goto('/');
  await page.locator(`[data-schedule="${sale.id}"] [data-part="do"]`).filter({ hasText: 'Back to my place' }).waitFor();
  await page.goBack();
  await waitForSlot(page, 'place', '3');
  const second = await page.context().newPage();
  await second.goto(`/schedules/${sale.id}/wait`);
  await waitForSlot(second, 'place', '3');
  await page.close();
  const third = await second.context().newPage();
  await third.goto(`/schedules/${sale.id}/wait`);
  await waitForSlot(third, 'place', '3');
  const { held = [], pending = [] } = await third.evaluate(() => navigator.locks.query());
  assert.deepEqual([held.length, pending.length], [1, 1], 'one tab has the stream, the other polls');
  await leave(waiting[0]);
  for (const tab of [second, third]) await waitForSlot(tab, 'place', '2');
  await third.locator('[data-do="leave"]').click();
  await third.locator('dialog [value="yes"]').click();
  for (const tab of [second, third]) await waitForState(tab, 'ended');
  await second.context().close();
});

test('everyone sees the operator’s message and pause', async () => {
  const { sale } = await createQueue(on.service, 1);
  const pages = [];
  for (const [lang, size] of /** @type {const} */ ([
    ['en', undefined],
    ['ko', PHONE],
  ])) {
    const page = await openPage(on.browser, on.service, { lang, ...(size && { size }) });
    await joinByPage(page, sale);
    pages.push(page);
  }
  await changeQueue(on.service, sale, { paused: true, message: 'The doors are stuck. We go on at 8.\nThank you for waiting.' });
  const PAUSED = ['the organiser has paused entry', '입장을 잠시 멈췄습니다'];
  for (const [at, page] of pages.entries()) {
    await waitForSlot(page, 'message', 'The doors are stuck');
    await waitForSlot(page, 'eta', PAUSED[at]);
    await page.waitForTimeout(200);
    await takeScreenshot(page, `paused-${at === 0 ? 'desktop-en' : 'phone-ko'}`, { full: true });
    await assertAccessible(page, 'paused, with a message');
  }
  await changeQueue(on.service, sale, { paused: false, message: null });
  await pages[0].locator('[data-if="message"]').waitFor({ state: 'hidden' });
  for (const page of pages) await page.context().close();
});

test('the page says so when there is hardly any chance of a seat', async () => {
  const { sale } = await createQueue(on.service, 3, { sections: [{ name: 'A', rows: 1, seats_per_row: 2, seat_price: 1000 }] });
  const page = await openPage(on.browser, on.service);
  await joinByPage(page, sale);
  await waitForSlot(page, 'outlook', "You're unlikely to get a seat");
  await takeScreenshot(page, 'hopeless');
  await assertAccessible(page, 'hopeless');
  await page.context().close();
});

test('another device continues by a link that works once', async () => {
  const { sale } = await createQueue(on.service, 1);
  const page = await openPage(on.browser, on.service);
  await joinByPage(page, sale, 'Han');
  await page.locator('[data-do="handoff"]').click();
  await page.locator('dialog .qr').waitFor();
  await takeScreenshot(page, 'handoff');
  await assertAccessible(page, 'the link and its code');
  const link = await page.locator('dialog input[readonly]').inputValue();
  assert.match(link, /\/continue#/);
  const dark = await page.locator('dialog .qr path').getAttribute('d');
  assert.ok(dark?.startsWith('M0 0h7v1h-7z'), 'the finder pattern of a QR code');

  const other = await openPage(on.browser, on.service, { size: PHONE });
  await other.goto(link);
  await other.locator('#go').waitFor();
  assert.equal(new URL(other.url()).hash, '', 'the code is not in the address any more');
  await takeScreenshot(other, 'continue');
  await assertAccessible(other, 'before going on');
  await other.locator('#go').click();
  await waitForState(other, 'waiting');
  await waitForSlot(other, 'place', '2');
  assert.equal(await other.locator('#who').textContent(), 'Han');

  const third = await openPage(on.browser, on.service, { lang: 'ko' });
  await third.goto(link);
  await third.locator('#go').click();
  await third.locator('#problem').filter({ hasText: '이미 사용된 링크입니다' }).waitFor();
  await assertAccessible(third, 'a link that was used');
  for (const one of [page, other, third]) await one.context().close();
});

test('a reader who waits for the opening joins automatically', async () => {
  const soon = new Date(Date.now() + 7000).toISOString();
  const sale = await openSale(on.service, { title: 'Tomorrow', opensIn: 3600, queue: { queue_opens_at: soon } });
  const page = await openPage(on.browser, on.service);
  // The page's clock may be a moment ahead of the server's, where the line is not open yet.
  let ahead = 0;
  await page.route(`**/v1/schedules/${sale.id}/queue`, (route) => {
    if (route.request().method() !== 'POST' || (ahead += 1) > 1) return route.continue();
    return route.fulfill({
      status: 409,
      contentType: 'application/problem+json',
      body: JSON.stringify({ code: 'queue_not_open', status: 409, opens_at: soon }),
    });
  });
  await page.goto(`/schedules/${sale.id}/wait`);
  await waitForState(page, 'early');
  await page.locator('[data-when="early"] input').fill('Kim');
  await page.locator('[data-when="early"] button').click();
  await waitForSlot(page, 'opens-in', /^0:0[1-6]$/);
  await takeScreenshot(page, 'early');
  await assertAccessible(page, 'before the line opens');
  await waitForState(page, 'waiting');
  await waitForSlot(page, 'eta', 'entry starts');
  assert.ok(ahead >= 2, 'the first join was refused');
  await page.context().close();
});

test('sold-out, closed and unknown sales are explained', async () => {
  const sold = await openSale(on.service, { sections: [{ name: 'A', rows: 1, seats_per_row: 1, seat_price: 10 }] });
  const block = { token: on.service.admin, body: { seat_ids: [sold.seats[0].id], blocked: true } };
  const { call } = await import('./support/sale.mjs');
  await call(on.service, 'PATCH', `/v1/admin/schedules/${sold.id}/seats`, block);
  const page = await openPage(on.browser, on.service);
  await page.goto(`/schedules/${sold.id}/wait`);
  await waitForSlot(page, 'join-title', 'Sold out');
  assert.equal(await page.locator('[data-when="join"] [type=submit]').isVisible(), false);
  await takeScreenshot(page, 'sold-out');
  await assertAccessible(page, 'sold out');
  const closed = await openSale(on.service, { closesIn: 2 });
  await page.goto(`/schedules/${closed.id}/wait`);
  await waitForSlot(page, 'join-title', 'This sale has ended');
  await page.goto('/schedules/999999/wait');
  await page.getByRole('heading', { name: 'Page not found' }).waitFor();
  await takeScreenshot(page, 'nothing-here');
  await assertAccessible(page, 'a page that is not there');
  await page.context().close();
});

test('the turn is announced by title, notification and sound, if the reader turned them on', async () => {
  const { sale, active, leave } = await createQueue(on.service, 0);
  const context = await on.context({ permissions: ['notifications'] });
  const page = await context.newPage();
  await page.addInitScript(() => {
    globalThis.notes = [];
    class FakeNotification extends EventTarget {
      /** @type {NotificationPermission} */
      static permission = 'default';
      static async requestPermission() {
        this.permission = 'granted';
        return 'granted';
      }
      /** @param {string} title @param {{ body: string }} options */
      constructor(title, { body }) {
        super();
        globalThis.notes.push(`${title}: ${body}`);
      }
    }
    Object.assign(globalThis, { Notification: FakeNotification });
  });
  await joinByPage(page, sale);
  assert.deepEqual(await page.evaluate(() => globalThis.notes), [], 'no notification unless it is turned on');
  await page.locator('[data-do="notify"]').click();
  await page.locator('[data-do="notify"][aria-pressed="true"]').waitFor();
  await page.locator('[data-do="sound"]').click();
  await page.locator('[data-do="sound"][aria-pressed="true"]').waitFor();
  await page.waitForTimeout(200);
  await takeScreenshot(page, 'alarms');
  await assertAccessible(page, 'with alarms on');
  assert.equal(await readPlace(page), '1');
  await leave(active);
  await waitForState(page, 'active');
  assert.match((await page.evaluate(() => globalThis.notes)).join(), /^It's your turn: /);
  await context.close();
});
