/** The console during a sale: live charts, admission controls, held-back seats, and the report. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { createBuyers, pause, runBuyers } from './support/crowd.mjs';
import { answerDialog, callAsOperator, openPart, makeSale, openConsole } from './support/console.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

/** Reads the number in a tile. @param {import('playwright-core').Page} page @param {string} name */
const readTile = async (page, name) => Number((await page.locator(`#tile-${name} strong`).innerText()).replace(/[^\d.]/g, ''));

/**
 * Returns the size of a chart's drawing as a data URL, which changes when the drawing does.
 * @param {import('playwright-core').Page} page @param {string} name
 */
const drawingSize = (page, name) =>
  page.locator(`#chart-${name} canvas`).evaluate((canvas) => /** @type {HTMLCanvasElement} */ (canvas).toDataURL().length);

test('the charts and figures move while people join, wait and buy', async () => {
  const { schedule } = await makeSale(on.service, { title: 'The Night', queue: { capacity: 6, admit_per_second: 4 } });
  const context = await on.context({ size: { viewport: { width: 1440, height: 1060 } } });
  const page = await openConsole(context, on.service, `/schedules/${schedule}`);
  await page.locator('#chart-waiting canvas').waitFor();
  const people = await createBuyers(on.service.url, 60);
  const before = await drawingSize(page, 'waiting');
  const done = runBuyers(people, schedule, 90);
  await page.waitForFunction(() => Number(document.querySelector('#tile-waiting strong')?.textContent) >= 8);
  assert.equal((await page.locator('.status').getAttribute('data-kind')) === 'bad', false);
  await page.locator('.next tbody tr').nth(3).waitFor();
  await page.waitForFunction(() => Number(document.querySelector('#tile-sold strong')?.textContent) >= 35);
  assert.notEqual(await drawingSize(page, 'waiting'), before, 'the chart of waiting people moves');
  await on.takeScreenshot(page, 'admin-rush');
  await on.takeScreenshot(page, 'admin-live', { full: true });
  assert.equal(await done, 60, 'everybody bought');
  await page.waitForFunction(() => document.querySelector('#tile-sold strong')?.textContent === '60');
  const stats = await callAsOperator(on.service, 'GET', `/v1/admin/schedules/${schedule}/stats`);
  assert.equal(await page.locator('#tile-revenue strong').innerText(), `₩${stats.revenue.toLocaleString('en')}`);
  await page.locator('#tile-p99 strong', { hasText: 'ms' }).waitFor();
  assert.equal(await readTile(page, 'errors'), 0);
  await context.close();
});

test('each change of the admission controls shows its old and new value and when it takes effect, and is audited', async () => {
  const { schedule } = await makeSale(on.service, { queue: { capacity: 50, admit_per_second: 20 } });
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}`);
  const waiting = await on.context();
  const buyer = await waiting.newPage();
  const done = () => page.locator('.effect-done').first();
  await page.getByRole('button', { name: 'Pause admission' }).click();
  await page.locator('dialog', { hasText: 'running → paused' }).waitFor();
  await on.takeScreenshot(page, 'admin-confirm', { full: true });
  await answerDialog(page, 'yes');
  await done().waitFor();
  const seconds = Number(/after ([\d.]+) s/.exec(await done().innerText())?.[1]);
  assert.ok(seconds > 0 && seconds <= 5, `in force, and said when: ${seconds}`);
  await page.locator('.status[data-kind="paused"]').waitFor();
  const [waitingBuyer] = await createBuyers(on.service.url, 1);
  assert.equal((await waitingBuyer.join(schedule)).body.status, 'WAITING');

  const rate = page.locator('.dial', { has: page.locator('#dial-admit_per_second') });
  await page.getByRole('spinbutton', { name: 'Admission rate' }).fill('30');
  await rate.getByRole('button', { name: 'Apply' }).click();
  await page.locator('.effect-done', { hasText: '30 per second' }).waitFor();
  const capacity = page.locator('.dial', { has: page.locator('#dial-capacity') });
  await page.getByRole('button', { name: '÷ 2 Capacity' }).click();
  assert.equal(await page.getByRole('spinbutton', { name: 'Capacity' }).inputValue(), '25');
  await page.getByRole('spinbutton', { name: 'Capacity' }).fill('0');
  await capacity.getByRole('button', { name: 'Apply' }).click();
  await page.locator('dialog', { hasText: 'Nobody else is admitted' }).waitFor();
  await answerDialog(page, 'no');
  assert.equal(
    (await callAsOperator(on.service, 'GET', `/v1/admin/schedules/${schedule}/queue`)).capacity,
    50,
    'declined, so nothing changed',
  );

  await page.getByLabel('Message to the queue').fill('The doors open at eight.');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.message-now', { hasText: 'The doors open at eight.' }).waitFor();
  await buyer.goto(`${on.service.url}/schedules/${schedule}/wait`);
  assert.equal((await waitingBuyer.poll()).body.message, 'The doors open at eight.');
  await page.getByRole('button', { name: 'Resume admission' }).click();
  await page.locator('.effect-done', { hasText: 'paused → running' }).waitFor();
  assert.ok(await waitingBuyer.waitUntilActive(), 'the waiting buyer is admitted');
  await on.takeScreenshot(page, 'admin-effects', { full: true });

  await openPart(page, `/schedules/${schedule}/audit`);
  const entries = await page.locator('.entry').allInnerTexts();
  assert.match(entries[0], /Queue changed[\s\S]*paused → running/);
  assert.match(entries[1], /The doors open at eight/);
  assert.match(entries[2], /20 per second → 30 per second/);
  await openPart(page, '/audit');
  await page.getByLabel('Action').selectOption('seats.add');
  await page.getByLabel('Subject').selectOption('schedule');
  await page.getByLabel('Number', { exact: true }).fill(String(schedule));
  await page.getByRole('button', { name: 'Show' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.entry').length === 1);
  assert.match(await page.locator('.entry').innerText(), /Seats added[\s\S]*Box office/);
  await Promise.all([context.close(), waiting.close()]);
});

test('seats are held back and released, except seats that are held or sold', async () => {
  const { schedule } = await makeSale(on.service);
  const [buyer] = await createBuyers(on.service.url, 1);
  await buyer.join(schedule);
  await buyer.buy(schedule, 2);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}/seats`);
  await page.locator('.adm-seat-sold').nth(1).waitFor();
  assert.equal(await page.locator('.adm-seat-row').nth(1).locator('.adm-seat').first().innerText(), '11', 'the number that buyers see');
  await page.getByRole('button', { name: 'All of row 1' }).click();
  assert.equal(await page.locator('.chosen').innerText(), '8 seats selected', 'sold seats can’t be selected');
  // Another buyer buys one of them meanwhile.
  const [late] = await createBuyers(on.service.url, 1);
  await late.join(schedule);
  await late.buy(schedule, 1);
  await page.getByRole('button', { name: 'Hold back 8 seats' }).click();
  await answerDialog(page, 'yes');
  await page.locator('.toast-error', { hasText: 'held or sold in the meantime' }).waitFor();
  await page.locator('.chosen', { hasText: '7 seats selected' }).waitFor();
  await page.getByRole('button', { name: 'Hold back 7 seats' }).click();
  await answerDialog(page, 'yes');
  await page.locator('.effect-done', { hasText: '83 → 76' }).waitFor();
  await page.getByLabel('Section').selectOption('Balcony');
  await page.getByRole('button', { name: 'The whole section' }).click();
  await page.getByRole('button', { name: 'Hold back 36 seats' }).click();
  await answerDialog(page, 'yes');
  await page.locator('.effect-done', { hasText: '76 → 40' }).waitFor();
  await on.takeScreenshot(page, 'admin-seats', { full: true });
  assert.equal((await callAsOperator(on.service, 'GET', `/v1/schedules/${schedule}`)).seats.blocked, 43);
  await page.locator('.adm-seat-blocked').first().click();
  await page.getByRole('button', { name: 'Release 1 seat' }).click();
  await answerDialog(page, 'yes');
  await page.locator('.effect-done', { hasText: '40 → 41' }).waitFor();
  await context.close();
});

test('the report shows what happened, prints, and downloads as CSV', async () => {
  const { schedule } = await makeSale(on.service, { title: 'Reported', queue: { capacity: 2, admit_per_second: 5 } });
  const people = await createBuyers(on.service.url, 12);
  assert.equal(await runBuyers(people, schedule, 20), 12);
  const poor = await createBuyers(on.service.url, 1, 0);
  await poor[0].join(schedule);
  await poor[0].waitUntilActive();
  assert.equal((await poor[0].buy(schedule, 9, false)).body.code, 'seat_limit_exceeded');
  for (let report = null; report === null || report.line.completed < 12 || report.rejections.length === 0; await pause(500)) {
    report = await callAsOperator(on.service, 'GET', `/v1/admin/schedules/${schedule}/report`);
  }
  const context = await on.context({ acceptDownloads: true });
  const page = await openConsole(context, on.service, `/schedules/${schedule}/report`);
  const text = await page.locator('.report').innerText();
  for (const part of [/Reported/, /Joined\s+13/, /Seats sold\s+12/, /over the limit of seats per person/, /Floor/])
    assert.match(text, part);
  // It explains itself: steps, the largest loss, waits by joining, payments, and why there is no prediction.
  for (const part of [
    /held seats\s+12\s+92\.3%\s+92\.3%/,
    /The largest loss was between “admitted” and “held seats”: 1 of 13/,
    /Half of the first group waited at most/,
    /No payments were refused/,
    /There is a prediction once the sale is sold out or closed/,
  ])
    assert.match(text, part);
  assert.ok((await page.locator('.bars rect').count()) >= 2, 'the chart is drawn');
  await on.takeScreenshot(page, 'admin-report', { full: true });
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download CSV' }).click();
  const download = await downloading;
  assert.equal(download.suggestedFilename(), `onsale-schedule-${schedule}.csv`);
  const csv = await readFile(await download.path(), 'utf8');
  assert.match(csv, /^part,item,since,value,unit\r\n/);
  assert.match(csv, /line,joined,,13,places/);
  await page.emulateMedia({ media: 'print', colorScheme: 'light' });
  const shown = await page.evaluate(() =>
    ['.console-nav', '.tabs', '.report-actions', 'header.top'].map(
      (one) => getComputedStyle(/** @type {Element} */ (document.querySelector(one))).display,
    ),
  );
  assert.deepEqual(shown, ['none', 'none', 'none', 'none'], 'the printed page has no controls');
  await on.takeScreenshot(page, 'admin-report-print', { full: true });
  await context.close();
});
