/** The console before a sale: the readiness checklist, the forecast, and a rehearsal. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerDialog, callAsOperator, makeSale, openConsole, openPart } from './support/console.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

/** The sale of all tests opens in an hour. */
const coming = () => makeSale(on.service, { title: 'Before', opensInSeconds: 3600, queue: { capacity: 40, admit_per_second: 5 } });

/** Fails if a key is shown in place of a text. @param {import('playwright-core').Page} page */
async function hasNoKeys(page) {
  const text = await page.locator('#console').innerText();
  assert.doesNotMatch(text, /admin\.(ready|forecast|rehearsal)\./);
  assert.doesNotMatch(text, /\{\w+\}/, 'each placeholder has its value');
}

test('the readiness checklist says what is fine, what is not, and what to do', async () => {
  const { concert, schedule } = await coming();
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}/readiness`);
  const line = (/** @type {string} */ code) => page.locator(`.ready-line[data-code="${code}"]`);
  await line('schedule.seats.ok').waitFor();
  assert.match(await line('schedule.seats.ok').innerText(), /86 seats/);
  assert.match(await line('schedule.test_purchase.warning').innerText(), /Rehearse the sale/);
  await hasNoKeys(page);
  await on.takeScreenshot(page, 'admin-readiness', { full: true });

  await callAsOperator(on.service, 'PATCH', `/v1/admin/concerts/${concert}`, { status: 'UNAVAILABLE' });
  await page.getByLabel('People expected').fill('500000000');
  await page.getByRole('button', { name: 'Check again' }).click();
  await line('schedule.status.failure').waitFor();
  assert.match(await line('redis.memory.short').innerText(), /Raise maxmemory/);
  assert.match(await page.locator('.readiness .status').innerText(), /Not ready/);
  await context.close();
});

test('the checklist is in Korean too', async () => {
  const { schedule } = await coming();
  const context = await on.context({ lang: 'ko' });
  const page = await openConsole(context, on.service, `/schedules/${schedule}/readiness`);
  await page.locator('.ready-line').first().waitFor();
  await hasNoKeys(page);
  await context.close();
});

test('a forecast is made, and its settings go into the form without being saved', async () => {
  const { schedule } = await coming();
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}/forecast`);
  // People still come when the seats of those who did not pay are free again; else no settings sell nearly all.
  await page.getByLabel('People expected').fill('200');
  await page.getByLabel('Sold out within').fill('30');
  await page.getByLabel('They join within').fill('30');
  await page.getByRole('button', { name: 'Plan', exact: true }).click();
  await page.locator('.recommended').first().waitFor();
  await page.getByRole('button', { name: 'Recommend settings' }).click();
  await page.locator('#forecast-sold canvas').waitFor();
  assert.equal(await page.locator('.chart canvas').count(), 4);
  await hasNoKeys(page);
  await on.takeScreenshot(page, 'admin-forecast', { full: true });
  await on.assertAccessible(page, 'the forecast');

  const proposal = await page.locator('.recommended').last().innerText();
  const [capacity, rate] = (proposal.match(/\d+/g) ?? []).map(Number);
  await page.getByRole('button', { name: 'Put into the settings form' }).last().click();
  await page.locator('#proposed').waitFor();
  assert.equal(await page.getByLabel('Capacity').inputValue(), String(capacity));
  assert.equal(await page.getByLabel('Admission rate').inputValue(), String(rate));
  const settings = () => callAsOperator(on.service, 'GET', `/v1/admin/schedules/${schedule}/queue`);
  assert.equal((await settings()).capacity, 40, 'nothing is saved yet');
  await page.getByRole('button', { name: 'Save' }).click();
  await answerDialog(page, 'yes');
  await page.locator('#proposed').waitFor({ state: 'detached' });
  assert.deepEqual([(await settings()).capacity, (await settings()).admit_per_second], [capacity, rate]);
  await context.close();
});

test('a rehearsal runs, shows its figures and its sheet, and its shadow is removed', async () => {
  const { schedule } = await coming();
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}/rehearsal`);
  await page.getByLabel('Synthetic buyers').fill('120');
  await page.getByLabel('Arrival before the opening').fill('3');
  await page.getByLabel('Arrival after the opening').fill('3');
  await page.getByLabel('Ends after').fill('1');
  await page.getByRole('button', { name: 'Rehearse', exact: true }).click();
  await page.locator('#rehearsal-live').waitFor();
  await hasNoKeys(page);
  await on.takeScreenshot(page, 'admin-rehearsal-live', { full: true });
  await page.locator('.rehearsal-state[data-state="PASSED"], .rehearsal-state[data-state="FAILED"]').waitFor({ timeout: 120_000 });
  assert.match(await page.locator('.rehearsal-current').innerText(), /Seats sold twice/);
  await hasNoKeys(page);
  await on.takeScreenshot(page, 'admin-rehearsal', { full: true });
  await on.assertAccessible(page, 'the sheet of a rehearsal');
  await page.locator('.rehearsal-state', { hasText: 'Its shadow is removed.' }).waitFor({ timeout: 60_000 });
  const concerts = await callAsOperator(on.service, 'GET', '/v1/concerts?limit=200');
  assert.ok(concerts.items.every((/** @type {{ id: number }} */ { id }) => id > 0));
  await openPart(page, `/schedules/${schedule}`);
  await context.close();
});
