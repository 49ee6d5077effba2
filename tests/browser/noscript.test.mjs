// Waiting without scripts: joining by a form, the place by reloads, and leaving.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAccessible, takeScreenshot } from './support/browser.mjs';
import { createQueue, changeQueue } from './support/line.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

test('a reader without scripts joins, waits, gets the turn and leaves', async () => {
  const { sale, active, waiting, leave } = await createQueue(on.service, 1);
  for (const lang of /** @type {const} */ (['en', 'ko'])) {
    const context = await on.context({ lang, javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`/schedules/${sale.id}/wait`);
    await page.locator('noscript form input').waitFor();
    assert.equal(await page.locator('meta[http-equiv="refresh"]').count(), 0, 'a page with a form does not reload');
    await takeScreenshot(page, `noscript-join-${lang}`);
    await page.locator('noscript form input').fill('Kim');
    await page.locator('noscript form button').click();
    await page.locator('noscript .big').filter({ hasText: '2' }).waitFor();
    assert.equal(await page.locator('meta[http-equiv="refresh"]').count(), 1);
    await changeQueue(on.service, sale, { message: 'A little later <b>tonight</b>' });
    await page.waitForTimeout(1200);
    await page.reload();
    await page.locator('noscript .message').filter({ hasText: 'A little later <b>tonight</b>' }).waitFor();
    await takeScreenshot(page, `noscript-waiting-${lang}`);
    const [cookie] = (await context.cookies()).filter(({ name }) => name === 'onsale_place');
    assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', `/schedules/${sale.id}`]);
    await page.locator('noscript form button[value="leave"]').click();
    await page.locator('noscript form input').waitFor();
    await context.close();
  }
  const context = await on.context({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`/schedules/${sale.id}/wait`);
  await page.locator('noscript form input').fill('Lee');
  await page.locator('noscript form button').click();
  await page.locator('noscript .big').waitFor();
  await leave(waiting[0]);
  await leave(active);
  // The page reloads automatically.
  await page.locator('noscript a[href^="/continue#"]').waitFor({ timeout: 40_000 });
  await takeScreenshot(page, 'noscript-turn');
  const link = await page.locator('noscript a[href^="/continue#"]').getAttribute('href');
  const other = await (await on.context()).newPage();
  assert.ok(link);
  await other.goto(link);
  await other.locator('#go').click();
  await other.waitForFunction(() => document.body.dataset.state === 'active');
  assert.equal(await other.locator('#who').textContent(), 'Lee');
  await assertAccessible(other, 'the turn, on another device');
  await other.context().close();
  await context.close();
});
