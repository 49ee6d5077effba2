/** The console: editing venues, by keys alone and at size. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Buyer } from './support/crowd.mjs';
import { answerDialog, callAsOperator, makeSale, openConsole, openPart } from './support/console.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

/** A hundred sections of 500 seats, as copied from a spreadsheet. */
const SPREADSHEET = Array.from({ length: 100 }, (_, at) => `Block ${at + 1}\t20\t25\t${30_000 + 1000 * Math.floor(at / 10)}`).join('\n');

/** Presses Tab until the focus is on the selector. @param {import('playwright-core').Page} page @param {string} selector */
async function tabTo(page, selector) {
  for (let times = 0; times < 900; times += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
  }
  assert.fail(`Tab does not reach ${selector}`);
}

/** @param {number} schedule */
const seatsOf = (schedule) => callAsOperator(on.service, 'GET', `/v1/admin/schedules/${schedule}/seats`);

test('100 sections with 50,000 seats are pasted, corrected, previewed and saved by keys alone', async () => {
  const { schedule } = await makeSale(on.service, { title: 'Stadium', sections: [] });
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}/venue`);
  await page.locator('.section-line').waitFor();
  // The proposed section goes.
  await tabTo(page, '.section-line [data-action=remove]');
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('.section-line').count(), 0);
  await tabTo(page, 'details.more summary');
  await page.keyboard.press('Enter');
  await tabTo(page, '#paste');
  await page.keyboard.insertText(`Section\tRows\tSeats per row\tPrice\n${SPREADSHEET.replace('Block 7\t20', 'Block 7\tmany')}`);
  await tabTo(page, 'details.more .button');
  await page.keyboard.press('Enter');
  await page.locator('.paste-errors li').waitFor();
  assert.equal(await page.locator('.paste-errors').innerText(), 'Line 8, column 2 (Rows): is not a whole number');
  assert.ok(await page.evaluate(() => document.activeElement?.id === 'paste'), 'the focus is on the field');
  await on.takeScreenshot(page, 'admin-venue-mistake', { full: true });
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(SPREADSHEET);
  await tabTo(page, 'details.more .button');
  const begun = Date.now();
  await page.keyboard.press('Enter');
  await page.locator('.total', { hasText: '50,000 seats' }).waitFor();
  await page.waitForFunction(() => {
    const canvas = /** @type {HTMLCanvasElement | null} */ (document.querySelector('.preview canvas.map-seats'));
    const data = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data;
    return data?.some((value, at) => at % 4 === 3 && value > 0);
  });
  const took = Date.now() - begun;
  assert.ok(took < 5000, `drawn after ${took} ms`);
  assert.equal(await page.locator('.section-line').count(), 100);
  await page.locator('.preview-unsaved', { hasText: "Not saved: buyers don't see this." }).waitFor();
  await on.takeScreenshot(page, 'admin-venue-50000', { full: true });

  // Typing stays fast: each key takes less than a third of a second until the total follows.
  const price = page.locator('.section-line').nth(99).getByLabel('Price');
  const typed = Date.now();
  await price.fill('1');
  await page.waitForFunction(() => document.querySelector('.total')?.textContent?.includes('50,000'));
  assert.ok(Date.now() - typed < 1000, `a key took ${Date.now() - typed} ms`);
  await price.fill('39000');

  // Leaving asks, and staying keeps everything.
  await page.evaluate(() => {
    location.hash = '#/';
  });
  await page.locator('dialog', { hasText: 'Leave without saving?' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.match(page.url(), /venue$/);
  assert.equal(await page.locator('.section-line').count(), 100);
  assert.equal((await seatsOf(schedule)).total, 0, 'nothing is saved yet');

  await page.locator('.adm-form button[type=submit]').focus();
  await page.keyboard.press('Enter');
  await page.locator('dialog', { hasText: 'Save 50,000 seats?' }).waitFor();
  await tabTo(page, 'dialog button[value=yes]');
  await page.keyboard.press('Enter');
  await page.locator('.status[data-kind]').waitFor();
  const saved = await seatsOf(schedule);
  assert.deepEqual([saved.total, saved.sections.length], [50_000, 100]);
  await openPart(page, `/schedules/${schedule}/venue`);
  await page.locator('.preview-state', { hasText: 'This is what buyers see.' }).waitFor();
  await openPart(page, '/');
  assert.equal(await page.locator('dialog').count(), 0, 'nothing unsaved, so nothing is asked');
  await context.close();
});

test('sections are renamed, duplicated, moved and removed, and buyers see it once it is saved', async () => {
  const { schedule } = await makeSale(on.service, { title: 'Theatre' });
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}/venue`);
  const lines = page.locator('.section-line');
  await lines.nth(1).waitFor();
  const press = async (/** @type {number} */ line, /** @type {string} */ action) => {
    await lines.nth(line).locator(`[data-action=${action}]`).focus();
    await page.keyboard.press('Enter');
  };
  const names = () => lines.evaluateAll((all) => all.map((line) => line.querySelector('input')?.value));
  assert.deepEqual(await names(), ['Floor', 'Balcony']);
  await press(1, 'up');
  assert.deepEqual(await names(), ['Balcony', 'Floor']);
  assert.ok(
    await page.evaluate(() => document.activeElement?.matches('.section-line:first-child [data-action=up]')),
    'the focus moves along',
  );
  await press(0, 'copy');
  await page.keyboard.insertText('Gallery');
  assert.deepEqual(await names(), ['Balcony', 'Gallery', 'Floor']);
  await press(2, 'remove');
  await lines.nth(0).getByLabel('Section').fill('Circle');
  await page.locator('.strip-warn', { hasText: 'These changes are not saved.' }).waitFor();
  assert.equal((await seatsOf(schedule)).sections[0].name, 'Floor');
  await page.getByRole('button', { name: 'Save' }).click();
  const dialog = page.locator('dialog');
  await dialog.locator('.changes', { hasText: '86' }).waitFor();
  await on.takeScreenshot(page, 'admin-venue-effect');
  await answerDialog(page, 'yes');
  await page.locator('.preview-state', { hasText: 'This is what buyers see.' }).waitFor();
  const saved = await seatsOf(schedule);
  assert.deepEqual(
    saved.sections.map((/** @type {{name: string, seats: number}} */ one) => [one.name, one.seats]),
    [
      ['Circle', 36],
      ['Gallery', 36],
    ],
  );
  await context.close();
});

test('after the first reservation prices can be changed and sections added, and a hold keeps its price', async () => {
  const { schedule } = await makeSale(on.service, { title: 'Sold a little' });
  const buyer = await new Buyer(on.service.url).signUp(1_000_000);
  await buyer.join(schedule);
  assert.equal((await buyer.buy(schedule, 2)).status, 201);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}/venue`);
  const lines = page.locator('.section-line');
  await lines.nth(1).waitFor();
  assert.ok(await lines.first().getByLabel('Section').isDisabled());
  assert.equal(await lines.first().locator('[data-action=remove]').count(), 0);
  await lines.nth(0).getByLabel('Price').fill('90000');
  await page.getByRole('button', { name: 'Add a section' }).click();
  await lines.nth(2).getByLabel('Section').fill('Arena');
  await lines.nth(2).getByLabel('Rows').fill('1');
  await lines.nth(2).getByLabel('Seats per row').fill('4');
  await page.getByRole('button', { name: 'Save' }).click();
  const dialog = page.locator('dialog', { hasText: '48 seats get another price' });
  await dialog.locator('.changes', { hasText: 'keep their price' }).waitFor();
  await on.takeScreenshot(page, 'admin-venue-prices');
  await answerDialog(page, 'yes');
  await page.locator('.preview-state', { hasText: 'This is what buyers see.' }).waitFor();
  const { sections } = await seatsOf(schedule);
  const found = sections.map(
    (/** @type {{name: string, seats: number, seat_price: number}} */ one) => `${one.name} ${one.seats} ${one.seat_price}`,
  );
  assert.deepEqual(found.sort(), ['Arena 4 70000', 'Balcony 36 70000', 'Floor 2 120000', 'Floor 48 90000']);
  // The two seats at the old price have a line of their own now.
  await lines.nth(3).waitFor();
  await context.close();
});

test('a venue that another operator has changed is not replaced unseen', async () => {
  const { schedule } = await makeSale(on.service, { title: 'Both build' });
  const context = await on.context({ lang: 'ko' });
  const page = await openConsole(context, on.service, `/schedules/${schedule}/venue`);
  const lines = page.locator('.section-line');
  await lines.nth(1).waitFor();
  const more = { sections: [{ name: 'Box', rows: 1, seats_per_row: 2, seat_price: 1 }] };
  await callAsOperator(on.service, 'POST', `/v1/admin/schedules/${schedule}/seats`, more);
  await lines.nth(0).getByLabel('구역').fill('일층');
  await page.getByRole('button', { name: '저장' }).click();
  const dialog = page.locator('dialog', { hasText: '그사이 다른 사람이 바꿨습니다' });
  await dialog.locator('tbody', { hasText: 'Box' }).waitFor();
  await on.takeScreenshot(page, 'admin-venue-conflict-korean');
  await dialog.getByRole('button', { name: '상대 변경 적용' }).click();
  await lines.nth(2).waitFor();
  assert.equal((await seatsOf(schedule)).sections.length, 3, 'nothing was replaced');
  await context.close();
});
