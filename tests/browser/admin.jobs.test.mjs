/** The console afterwards: the refund of a date, its job, exports, and personal data. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { createBuyers } from './support/crowd.mjs';
import { answerDialog, callAsOperator, makeSale, openConsole, openPart } from './support/console.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

/** A sale with buyers who bought two seats each. @param {string} title @param {number} count */
async function sold(title, count) {
  const { concert, schedule } = await makeSale(on.service, { title });
  const buyers = await createBuyers(on.service.url, count);
  for (const buyer of buyers) {
    await buyer.join(schedule);
    assert.equal((await buyer.buy(schedule, 2)).status, 201);
  }
  return { concert, schedule, buyers };
}

/** Orders the refund of the date that is shown. @param {import('playwright-core').Page} page @param {string} seats */
async function orderRefund(page, seats) {
  await page.getByRole('button', { name: 'Show what would happen' }).click();
  await page.getByLabel('Seats afterwards').selectOption(seats);
  await page.getByLabel('Reason').fill('The artist is ill.');
  await page.getByRole('button', { name: 'Refund…' }).click();
}

test('a date is refunded after a look at what would happen, and its job shows the progress', async () => {
  const { schedule } = await sold('Cancelled', 3);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}/report`);
  await orderRefund(page, 'BLOCK');
  const figures = await page.locator('.refund').innerText();
  for (const part of [/Paid seats\s+6/, /Buyers\s+3/, /To return\s+₩720,000/, /This date is on sale/]) assert.match(figures, part);
  await on.takeScreenshot(page, 'admin-refund', { full: true });
  await page.locator('dialog', { hasText: 'Refund 6 seats?' }).waitFor();
  await answerDialog(page, 'no');
  assert.deepEqual((await callAsOperator(on.service, 'GET', '/v1/admin/jobs')).items, [], 'nothing happens without a yes');
  await page.getByRole('button', { name: 'Refund…' }).click();
  await answerDialog(page, 'yes');
  const job = page.locator('.job').first();
  await page.locator('.job[data-state="DONE"]').waitFor();
  assert.match(await job.innerText(), /6 of 6 seats refunded · ₩720,000 returned[\s\S]*The artist is ill/);
  await on.takeScreenshot(page, 'admin-jobs', { full: true });
  assert.equal((await callAsOperator(on.service, 'GET', `/v1/schedules/${schedule}`)).seats.blocked, 6);
  await openPart(page, `/schedules/${schedule}/audit`);
  const entry = await page.locator('.entry').first().innerText();
  for (const part of ['Refund of a date', 'seats: held back', 'reason: The artist is ill']) assert.ok(entry.includes(part), entry);
  await openPart(page, `/schedules/${schedule}/report`);
  await page.getByRole('button', { name: 'Show what would happen' }).click();
  await page.getByText('There is nothing to refund.').waitFor();
  await context.close();
});

test('a job that still waits is followed live and cancelled', async () => {
  const { concert, schedule, buyers } = await sold('Withdrawn', 1);
  const [waiting] = await createBuyers(on.service.url, 1);
  await waiting.join(schedule);
  await waiting.buy(schedule, 1, false);
  await callAsOperator(on.service, 'PATCH', `/v1/admin/concerts/${concert}`, { status: 'UNAVAILABLE' });
  assert.ok(buyers[0]);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}/report`);
  await orderRefund(page, 'FREE');
  await answerDialog(page, 'yes');
  const job = page.locator('.job').first();
  await page.locator('.job[data-state="RUNNING"]', { hasText: '2 of 2 seats refunded' }).waitFor();
  await job.getByRole('button', { name: 'Cancel' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('dialog', { hasText: 'What is done stays done' }).waitFor();
  await answerDialog(page, 'yes');
  await page.locator('.job[data-state="CANCELLED"]').waitFor();
  assert.equal(await job.getByRole('button', { name: 'Cancel' }).isVisible(), false);
  await context.close();
});

test('the records of a date are downloaded as CSV and JSON Lines', async () => {
  const { schedule } = await sold('Exported', 2);
  const context = await on.context({ acceptDownloads: true });
  const page = await openConsole(context, on.service, `/schedules/${schedule}/report`);
  const download = async (/** @type {string} */ name) => {
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name, exact: true }).click();
    const file = await downloading;
    return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
  };
  const csv = await download('Payments as CSV');
  assert.equal(csv.name, `onsale-schedule-${schedule}-payments.csv`);
  assert.match(csv.text, /^\ufeffcursor,payment_id,hold_id,user_id,name,/);
  assert.equal(csv.text.trim().split('\r\n').length, 5);
  const lines = await download('Buyers as JSON Lines');
  assert.equal(lines.name, `onsale-schedule-${schedule}-buyers.jsonl`);
  const buyers = lines.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    buyers.map((one) => [one.name, one.seats, one.amount]),
    [
      ['Kim', 2, 240_000],
      ['Kim', 2, 240_000],
    ],
  );
  await context.close();
});

test('a person’s data is shown, downloaded and erased', async () => {
  const [person] = await createBuyers(on.service.url, 1, 0);
  const context = await on.context({ acceptDownloads: true });
  const page = await openConsole(context, on.service, '/people');
  await page.getByLabel('User number').fill(String(person.id));
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByText('Name', { exact: true }).waitFor();
  assert.match(await page.locator('.figures').innerText(), /Kim/);
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download as JSON' }).click();
  const file = await downloading;
  assert.equal(JSON.parse(await readFile(await file.path(), 'utf8')).user.id, person.id);
  await on.takeScreenshot(page, 'admin-person', { full: true });
  await page.getByLabel('Reason').fill('Asked by letter.');
  await page.getByRole('button', { name: 'Erase…' }).click();
  await page.locator('dialog', { hasText: `Erase user ${person.id}?` }).waitFor();
  await answerDialog(page, 'yes');
  await page.locator('.job[data-state="DONE"]', { hasText: 'Erasure of a person' }).waitFor();
  await openPart(page, `/people/${person.id}`);
  await page.getByText('Erased', { exact: false }).first().waitFor();
  assert.equal(await page.getByRole('button', { name: 'Erase…' }).count(), 0);
  assert.equal((await person.call('GET', '/v1/users/me')).status, 401);
  await openPart(page, '/people/999999');
  await page.getByText('Page not found').waitFor();
  await context.close();
});
