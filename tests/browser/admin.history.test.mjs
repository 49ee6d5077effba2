/** The console's charts after a reload, with markers; the sentence about admission; alerts on every page of the sale. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerDialog, callAsOperator, makeSale, openConsole, openPart } from './support/console.mjs';
import { createBuyers, pause, runBuyers } from './support/crowd.mjs';
import { startStage } from './support/stage.mjs';
import { freezeStore } from './support/stores.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

/** @param {number} schedule */
const history = (schedule) => callAsOperator(on.service, 'GET', `/v1/admin/schedules/${schedule}/history`);

/** Waits until so many seconds of a sale are recorded. @param {number} schedule @param {number} seconds */
async function recorded(schedule, seconds) {
  for (;;) {
    const { series } = await history(schedule);
    if (series.waiting.filter((/** @type {number | null} */ value) => value !== null).length >= seconds) return;
    await pause(500);
  }
}

/** The share of a chart's drawing, from the left, that has ink of the line of sold seats. @param {import('playwright-core').Page} page */
const drawnShare = (page) =>
  page.locator('#chart-seats canvas').evaluate((element) => {
    const canvas = /** @type {HTMLCanvasElement} */ (element);
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    const swatch = document.querySelector('#chart-seats .line-3');
    const [red, green, blue] =
      getComputedStyle(/** @type {Element} */ (swatch))
        .borderTopColor.match(/\d+/g)
        ?.map(Number) ?? [];
    const columns = new Set();
    for (let at = 0; at < width * height; at += 1) {
      const near = (/** @type {number} */ part, /** @type {number} */ of) => Math.abs(data[4 * at + part] - of) < 12;
      if (near(0, red) && near(1, green) && near(2, blue) && data[4 * at + 3] > 200) columns.add(at % width);
    }
    return columns.size / width;
  });

test('after a reload the charts begin with the recorded minute, and its markers are listed', async () => {
  const { schedule } = await makeSale(on.service, { title: 'Recorded', queue: { capacity: 4, admit_per_second: 4 } });
  const people = await createBuyers(on.service.url, 24);
  const done = runBuyers(people, schedule, 120);
  await recorded(schedule, 10);
  await callAsOperator(on.service, 'PATCH', `/v1/admin/schedules/${schedule}/queue`, { message: 'Nearly there' });
  await callAsOperator(on.service, 'PATCH', `/v1/admin/schedules/${schedule}/queue`, { capacity: 6 });
  await recorded(schedule, 40);
  const context = await on.context({ size: { viewport: { width: 1440, height: 1060 } } });
  // The console was not open before: everything drawn is recorded.
  const page = await openConsole(context, on.service, `/schedules/${schedule}`);
  await page.locator('#chart-seats canvas').waitFor();
  await page.locator('.markers li[data-kind="MESSAGE"]', { hasText: 'Nearly there' }).waitFor();
  await page.locator('.markers li[data-kind="CHANGED"]', { hasText: 'Capacity: 4 people → 6 people' }).waitFor();
  await page.waitForFunction(() => document.querySelector('#tile-sold strong')?.textContent !== '0');
  await on.takeScreenshot(page, 'admin-history', { full: true });
  const share = await drawnShare(page);
  assert.ok(share > 0.4, `the line covers ${Math.round(100 * share)} % of the chart at once`);
  await page.reload();
  await page.locator('.markers li[data-kind="MESSAGE"]').waitFor();
  await page.waitForFunction(() => /\d/.test(document.querySelector('#chart-waiting strong')?.textContent ?? ''));
  assert.ok((await drawnShare(page)) > 0.4, 'and after a reload');
  await page.getByLabel('Time range').selectOption('3600');
  await page.locator('.markers li[data-kind="MESSAGE"]').waitFor();
  await page.getByLabel('Time range').selectOption('sale');
  await page.locator('.markers li[data-kind="MESSAGE"]').waitFor();
  await on.assertAccessible(page, 'history');
  assert.equal(await done, 24);
  await context.close();
});

test('the sentence about admission names the limit, and who paused; nothing below it says otherwise', async () => {
  const { schedule } = await makeSale(on.service, { queue: { capacity: 2, admit_per_second: 50 } });
  const people = await createBuyers(on.service.url, 6);
  for (const buyer of people) await buyer.join(schedule);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}`);
  const status = page.locator('.status');
  await status.filter({ hasText: 'the capacity is the limit' }).waitFor();
  const text = await page.locator('.tab').innerText();
  assert.doesNotMatch(text, /at the latest|leaves the sale/, 'nobody must leave first in a sale that admits');
  await page.getByRole('button', { name: 'Pause admission' }).click();
  await answerDialog(page, 'yes');
  await status.filter({ hasText: /Admission is paused by .+ since \d/ }).waitFor();
  await on.takeScreenshot(page, 'admin-pace', { full: true });
  await context.close();
});

test('an alert is on every page of the sale while it lasts, and in the list afterwards', async () => {
  const sections = [{ name: 'Floor', rows: 1, seats_per_row: 2, seat_price: 1000 }];
  const { schedule } = await makeSale(on.service, { sections });
  const [buyer] = await createBuyers(on.service.url, 1);
  await buyer.join(schedule);
  assert.equal((await buyer.buy(schedule, 2)).status, 201);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}`);
  const alert = page.locator('.alerts [data-alert="SOLD_OUT"]', { hasText: 'Sold out: 2 seats are sold' });
  await alert.waitFor();
  for (const part of ['settings', 'seats', 'audit']) {
    await openPart(page, `/schedules/${schedule}/${part}`);
    await alert.waitFor();
  }
  await on.takeScreenshot(page, 'admin-alert', { full: true });
  await page.getByRole('link', { name: 'All alerts' }).click();
  await page.locator('.entries [data-alert="SOLD_OUT"]').waitFor();
  await on.assertAccessible(page, 'history');
  await context.close();
});

test('while PostgreSQL does not respond the console names it, and the time of what it still knows', async () => {
  const { schedule } = await makeSale(on.service);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}`);
  await page.locator('#tile-sold strong', { hasText: '0' }).waitFor();
  const thaw = freezeStore(on.pid, 'postgres');
  try {
    const status = page.locator('.status[data-kind="bad"]', { hasText: 'PostgreSQL is not responding' });
    await status.filter({ hasText: /All figures are those of \d/ }).waitFor();
    assert.equal(await page.locator('#tile-sold strong').innerText(), '0', 'the last known figure stays');
  } finally {
    thaw();
  }
  await page.locator('.status:not([data-kind="bad"])').waitFor();
  await context.close();
});
