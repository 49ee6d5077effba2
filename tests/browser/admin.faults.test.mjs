/** The console while a store or the service does not respond, and when the token expires. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createBuyers } from './support/crowd.mjs';
import { openPart, makeSale, openConsole } from './support/console.mjs';
import { startStage } from './support/stage.mjs';
import { freezeStore } from './support/stores.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

test('while Redis does not respond the queue is marked as old, and the console recovers', async () => {
  const { schedule } = await makeSale(on.service, { queue: { capacity: 1 } });
  const people = await createBuyers(on.service.url, 3);
  for (const buyer of people) await buyer.join(schedule);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}`);
  await page.locator('#tile-waiting strong', { hasText: '2' }).waitFor();
  const thaw = freezeStore(on.pid, 'redis');
  try {
    await page.locator('.status[data-kind="bad"]', { hasText: 'Redis' }).waitFor();
    assert.equal(await page.locator('#tile-waiting strong').innerText(), '–', 'no false figure');
    await page.locator('.next .strip', { hasText: 'Redis is not responding' }).waitFor();
    await on.takeScreenshot(page, 'admin-redis-away', { full: true });
    const health = await openConsole(context, on.service, '/health');
    await health.locator('.store-down', { hasText: 'Redis' }).waitFor();
    await health.locator('.store-up', { hasText: 'PostgreSQL' }).waitFor();
    await on.takeScreenshot(health, 'admin-health-redis', { full: true });
    await health.close();
  } finally {
    thaw();
  }
  await page.waitForFunction(() => /\d/.test(document.querySelector('#tile-waiting strong')?.textContent ?? ''));
  assert.notEqual(await page.locator('.status').getAttribute('data-kind'), null);
  await context.close();
});

test('while PostgreSQL does not respond the figures are marked as old', async () => {
  const { schedule } = await makeSale(on.service);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}`);
  await page.locator('#tile-sold strong', { hasText: '0' }).waitFor();
  const thaw = freezeStore(on.pid, 'postgres');
  try {
    await page.locator('.status[data-kind="bad"]', { hasText: 'not responding' }).waitFor();
    await page.getByRole('button', { name: 'Pause admission' }).click();
    await page.locator('dialog button[value="yes"]').click();
    await page.locator('.toast-error').waitFor();
    assert.equal(await page.locator('.effect').count(), 0, 'what was not saved is not shown as done');
    await on.takeScreenshot(page, 'admin-postgres-away', { full: true });
    await openPart(page, '/health');
    await page.locator('.store-down', { hasText: 'PostgreSQL' }).waitFor();
  } finally {
    thaw();
  }
  await page.locator('.store-up', { hasText: 'PostgreSQL' }).waitFor();
  await context.close();
});

test('while the service does not respond the figures are marked as old, and an expired token asks for another', async () => {
  const { schedule } = await makeSale(on.service);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}`);
  await page.locator('#tile-sold strong', { hasText: '0' }).waitFor();
  await page.route('**/v1/admin/**', (route) => route.abort());
  await openPart(page, '/health');
  await page.locator('.status[data-kind="bad"]', { hasText: 'not responding' }).waitFor();
  await page.unroute('**/v1/admin/**');
  await page.locator('.store-up').first().waitFor();

  const body = '{"code":"unauthenticated"}';
  await page.route('**/v1/admin/**', (route) => route.fulfill({ status: 401, contentType: 'application/problem+json', body }));
  await page.locator('[role=alert]', { hasText: 'no longer valid' }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem('onsale.admin')), null);
  await context.close();
});
