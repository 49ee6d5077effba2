// Broken devices: a clock that is wrong by days, a browser that stores nothing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAccessible, openPage, PHONE, shiftClock, takeScreenshot } from './support/browser.mjs';
import { waitForState, joinByPage } from './support/line.mjs';
import { openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/service.mjs').Service} */
let service;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {() => Promise<void>} */
let end;
before(async () => ({ service, browser, end } = await startStage()));
after(() => end?.());

/** Opens a page on a device whose clock is wrong. @param {number} hours */
async function openWithWrongClock(hours) {
  const page = await openPage(browser, service);
  await shiftClock(page, hours);
  return page;
}

for (const hours of [26, 24 * 400, -26]) {
  test(`a reader joins and stays joined on a device whose clock is wrong by ${hours} h`, async () => {
    const sale = await openSale(service);
    const page = await openWithWrongClock(hours);
    await joinByPage(page, sale);
    await waitForState(page, 'active');
    await page.reload();
    await waitForState(page, 'active');
    await page
      .locator('[data-slot="remaining"]')
      .filter({ hasText: /^(9|10):/ })
      .first()
      .waitFor();
    await page.goto('/me');
    await page.locator('#mine').waitFor();
    assert.ok(await page.locator('#me-signin').isHidden());
    await page.context().close();
  });
}

test('a page restored from the history counts by the server’s clock too', async () => {
  const sale = await openSale(service, { opensIn: 3600 });
  const page = await openWithWrongClock(26);
  await page.goto(`/concerts/${sale.concert}`);
  const note = page.locator(`[data-schedule="${sale.id}"] [data-part="note"]`);
  await note.filter({ hasText: /Opens in (59|1:00):/ }).waitFor();
  await page.goto('/me');
  await page.goBack();
  await note.filter({ hasText: /Opens in (59|1:00):/ }).waitFor();
  await page.context().close();
});

for (const [lang, size, dark] of /** @type {const} */ ([
  ['en', undefined, false],
  ['ko', PHONE, true],
])) {
  test(`a reader whose browser stores nothing is warned before joining: ${lang}`, async () => {
    const sale = await openSale(service);
    const page = await openPage(browser, service, { lang, size, dark });
    await page.addInitScript(() => {
      const denied = {
        get: () => {
          throw new DOMException('denied', 'SecurityError');
        },
      };
      Object.defineProperty(window, 'localStorage', denied);
      Object.defineProperty(window, 'sessionStorage', denied);
    });
    await page.goto('/');
    await page.locator('#unkept').waitFor();
    await page.goto(`/schedules/${sale.id}/wait`);
    await waitForState(page, 'join');
    await page.locator('#unkept').waitFor();
    assert.ok(await page.locator('form[data-do="join"]').first().isHidden(), 'a reader who would lose the place can’t join');
    await takeScreenshot(page, `unkept-${lang}`);
    await assertAccessible(page, 'a browser that keeps nothing');
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

test('a reader whose browser stores data is not warned', async () => {
  const page = await openPage(browser, service);
  await page.goto('/');
  await page.locator('html[data-ready]').waitFor();
  assert.ok(await page.locator('#unkept').isHidden());
  await page.context().close();
});
