// From the home page through the queue to the seats: on a desktop and on a phone, in both languages.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAccessible, DESKTOP, openPage, PHONE, takeScreenshot, VARIANTS } from './support/browser.mjs';
import { waitForState, joinByPage, createQueue, waitForSlot, changeQueue } from './support/line.mjs';
import { call, openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

/** The concert of each variant. The pictures in docs/images show some of them. @type {Record<string, string>} */
const TITLES = { 'desktop-en': 'Night Lights', 'phone-ko': '밤의 불빛', 'phone-en-dark': 'Blue Hour', 'desktop-ko-dark': '푸른 시간' };
const AHEAD = { en: '1 person ahead of you', ko: '내 앞 대기 인원 1명' };

for (const { name, size, lang, dark } of VARIANTS) {
  test(`a reader gets from the home page to the seats: ${name}`, async () => {
    const { sale, active, waiting, leave } = await createQueue(on.service, 1, {
      title: TITLES[name],
      description: 'One evening only, with the whole orchestra.',
    });
    const page = await openPage(on.browser, on.service, { size, lang, dark });
    await page.goto('/');
    await page.locator(`.date[data-schedule="${sale.id}"] .date-note, .date[data-schedule="${sale.id}"] .badge-good`).first().waitFor();
    await takeScreenshot(page, `sale-${name}`);
    await assertAccessible(page, 'the sale page');
    await page.getByRole('link', { name: TITLES[name] }).click();
    await page.locator('.date-prices').waitFor();
    await takeScreenshot(page, `concert-${name}`, { full: true });
    await assertAccessible(page, 'the concert');
    await page.locator(`[data-schedule="${sale.id}"] a.button`).click();

    await waitForState(page, 'join');
    await takeScreenshot(page, `join-${name}`);
    await assertAccessible(page, 'before joining');
    await page.locator('[data-when="join"] input[name="name"]').fill('이하나');
    await page.locator('[data-when="join"] button[type=submit]').click();
    await waitForState(page, 'waiting');
    await waitForSlot(page, 'ahead', AHEAD[lang]);
    await waitForSlot(page, 'place', '2');
    await page.waitForTimeout(700);
    await takeScreenshot(page, `waiting-${name}`, { full: true });
    await assertAccessible(page, 'waiting');
    assert.match(await page.title(), /^\(2\) /);

    await leave(waiting[0]);
    await waitForSlot(page, 'place', '1');
    await leave(active);
    await waitForState(page, 'active');
    await page.locator('[data-slot="remaining"]').filter({ hasText: ':' }).waitFor();
    assert.match(await page.title(), /^● /);
    await takeScreenshot(page, `turn-${name}`, { full: true });
    await assertAccessible(page, 'the turn');
    assert.equal(await page.locator('[data-do="seats"]').getAttribute('href'), `/schedules/${sale.id}/seats`);
    await page.locator('[data-do="seats"]').click();
    await page.waitForURL(`**/schedules/${sale.id}/seats`);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

test('a reader joins, waits and leaves by keyboard alone', async () => {
  const { sale } = await createQueue(on.service, 1);
  const page = await openPage(on.browser, on.service);
  await page.goto('/');
  const press = async (/** @type {string} */ selector) => {
    for (let tabs = 0; tabs < 80; tabs += 1) {
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`Tab does not reach ${selector}`);
  };
  await press(`[data-schedule="${sale.id}"] a.button`);
  await page.keyboard.press('Enter');
  await waitForState(page, 'join');
  await press('[data-when="join"] input[name="name"]');
  await page.keyboard.type('Kim');
  await page.keyboard.press('Enter');
  await waitForState(page, 'waiting');
  await press('[data-do="leave"]');
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').waitFor();
  await assertAccessible(page, 'the question before leaving');
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.ok(await page.evaluate(() => document.activeElement?.matches('[data-do="leave"]')), 'the focus returns');
  await page.keyboard.press('Enter');
  await press('dialog [value="yes"]');
  await page.keyboard.press('Enter');
  await waitForState(page, 'ended');
  await page.waitForTimeout(200);
  await takeScreenshot(page, 'left');
  await assertAccessible(page, 'after leaving');
  await page.reload();
  await waitForState(page, 'join');
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('the concert page follows the sale: it opens, seats are taken, it is paused', async () => {
  const sale = await openSale(on.service, {
    title: 'Soon',
    opensIn: 4,
    queue: { queue_opens_at: new Date(Date.now() - 60_000).toISOString() },
  });
  const page = await openPage(on.browser, on.service);
  await page.goto(`/concerts/${sale.concert}`);
  const row = page.locator(`[data-schedule="${sale.id}"]`);
  await row
    .locator('[data-part="note"]')
    .filter({ hasText: /Opens in 0:0[1-4]/ })
    .waitFor();
  await page.locator(`[data-schedule="${sale.id}"][data-phase="OPEN"]`).waitFor();
  const { id } = sale.seats[0];
  await call(on.service, 'PATCH', `/v1/admin/schedules/${id && sale.id}/seats`, {
    token: on.service.admin,
    body: { seat_ids: [id], blocked: true },
  });
  await row
    .locator('[data-part="left"]')
    .filter({ hasText: `${sale.seats.length - 1} seats left` })
    .waitFor();
  await changeQueue(on.service, sale, { paused: true });
  await page.locator(`[data-schedule="${sale.id}"][data-phase="PAUSED"]`).waitFor();
  await page.context().close();
});

test('everything fits at 320 px and at 200 % zoom', async () => {
  const { sale } = await createQueue(on.service, 1);
  for (const [name, size] of /** @type {const} */ ([
    ['320', { viewport: { width: 320, height: 640 } }],
    ['200', { viewport: { width: 640, height: 430 }, deviceScaleFactor: 2 }],
  ])) {
    for (const lang of /** @type {const} */ (['en', 'ko'])) {
      const page = await openPage(on.browser, on.service, { size, lang });
      await page.goto('/');
      const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
      assert.ok(await fits(), `the sale page at ${name}`);
      await joinByPage(page, sale);
      await page.waitForTimeout(300);
      assert.ok(await fits(), `the waiting page at ${name}`);
      await takeScreenshot(page, `waiting-${name}-${lang}`, { full: true });
      await page.context().close();
    }
  }
});
