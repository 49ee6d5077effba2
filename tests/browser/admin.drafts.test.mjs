/** The console: drafts and publishing, two operators at once, removing a test concert. */
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

/** Creates a draft date without seats in a draft concert. @param {string} title */
async function makeDraft(title) {
  const at = (/** @type {number} */ seconds) => new Date(Date.now() + seconds * 1000).toISOString();
  const concert = await callAsOperator(on.service, 'POST', '/v1/admin/concerts', { title, draft: true });
  const times = { reservation_available_at: at(3600), deadline_at: at(86_400), concert_at: at(90_000), draft: true };
  const schedule = await callAsOperator(on.service, 'POST', `/v1/admin/concerts/${concert.id}/schedules`, times);
  return { concert: concert.id, schedule: schedule.id };
}

const SEATS = { sections: [{ name: 'Floor', rows: 2, seats_per_row: 3, seat_price: 5000 }] };

test('a draft says so, cannot be published while its sale is impossible, and then everybody sees it', async () => {
  const { concert, schedule } = await makeDraft('Not yet');
  const context = await on.context();
  const page = await openConsole(context, on.service);
  await page.locator('.concert', { hasText: 'Not yet' }).locator('.badge-draft').first().waitFor();
  await on.takeScreenshot(page, 'admin-overview-draft', { full: true });
  await openPart(page, `/schedules/${schedule}`);
  await page.locator('.strip-draft').waitFor();
  assert.equal(await page.getByRole('link', { name: /Buyers|buyer/ }).count(), 0, 'no link to a page that does not exist');
  await page.getByRole('button', { name: 'Publish…' }).click();
  await page.locator('dialog .reasons', { hasText: 'There are no seats' }).waitFor();
  await on.takeScreenshot(page, 'admin-publish-not');
  await page.keyboard.press('Enter');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.equal((await callAsOperator(on.service, 'GET', `/v1/admin/schedules/${schedule}`)).draft, true);

  await callAsOperator(on.service, 'POST', `/v1/admin/schedules/${schedule}/seats`, SEATS);
  await page.getByRole('button', { name: 'Publish…' }).click();
  await page.locator('dialog', { hasText: 'this date and its concert' }).waitFor();
  await on.takeScreenshot(page, 'admin-publish');
  await answerDialog(page, 'yes');
  await page.locator('.strip-draft').waitFor({ state: 'detached' });
  for (const path of [`/v1/concerts/${concert}`, `/v1/schedules/${schedule}`])
    assert.equal((await fetch(on.service.url + path)).status, 200, path);
  await context.close();
});

test('two operators change the same setting: the second sees both, and takes theirs or keeps their own', async () => {
  const { schedule } = await makeSale(on.service, { title: 'Two at once' });
  const settings = `/v1/admin/schedules/${schedule}/queue`;
  const stored = () => callAsOperator(on.service, 'GET', settings);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}/settings`);
  const save = async (/** @type {string} */ field, /** @type {string} */ value) => {
    await page.getByLabel(field).fill(value);
    await page.getByRole('button', { name: 'Save' }).first().click();
    await answerDialog(page, 'yes');
  };
  await page.getByLabel('Capacity').waitFor();
  await callAsOperator(on.service, 'PATCH', settings, { capacity: 300 });
  await save('Capacity', '200');
  const dialog = page.locator('dialog', { hasText: 'Another operator changed this meanwhile' });
  await dialog.waitFor();
  const row = await dialog.locator('tbody tr').allInnerTexts();
  assert.equal(row.length, 1);
  for (const figure of ['500', '300', '200']) assert.ok(row[0].includes(figure), row[0]);
  await on.takeScreenshot(page, 'admin-conflict');
  await on.assertAccessible(page, 'conflict');
  assert.equal((await stored()).capacity, 300, 'nothing was overwritten');
  await dialog.getByRole('button', { name: 'Take theirs' }).click();
  await page.waitForFunction(() => /** @type {HTMLInputElement} */ (document.querySelector('input[name=capacity]')).value === '300');

  await callAsOperator(on.service, 'PATCH', settings, { capacity: 400 });
  const form = await page.locator('input[name=capacity]').elementHandle();
  await save('Capacity', '250');
  await dialog.waitFor();
  await answerDialog(page, 'yes');
  // The form is drawn again once the change is stored.
  await page.waitForFunction((old) => !old?.isConnected, form);
  assert.equal(await page.locator('input[name=capacity]').inputValue(), '250');
  assert.equal((await stored()).capacity, 250);

  // Changes of different fields both apply, without a question.
  await callAsOperator(on.service, 'PATCH', settings, { admit_per_second: 7 });
  await save('Capacity', '260');
  await page.locator('.toast', { hasText: 'Both changes apply' }).waitFor();
  const both = await stored();
  assert.deepEqual([both.capacity, both.admit_per_second], [260, 7]);
  await context.close();
});

test('a change of what the live controls show is not overwritten unseen', async () => {
  const { schedule } = await makeSale(on.service, { title: 'Live' });
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}`);
  const path = `/v1/admin/schedules/${schedule}/queue`;
  await page.waitForFunction(() => /** @type {HTMLInputElement} */ (document.querySelector('#dial-capacity')).value === '500');
  const dialog = page.locator('dialog', { hasText: 'Another operator changed this meanwhile' });
  let asked = false;
  // The figures come every second. One that comes between the two changes shows the first in time.
  for (let round = 1; round <= 5 && !asked; round += 1) {
    const [theirs, mine] = [400 + round, 450 + round];
    await page.getByRole('spinbutton', { name: 'Capacity' }).fill(String(mine));
    await page.evaluate(
      async ([where, token, capacity]) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        await fetch(String(where), { method: 'PATCH', headers, body: JSON.stringify({ capacity }) });
        document.querySelector('#dial-capacity')?.closest('form')?.requestSubmit();
      },
      [path, on.service.admin, theirs],
    );
    asked = await dialog.waitFor({ timeout: 2000 }).then(
      () => true,
      () => false,
    );
    const now = async () => (await callAsOperator(on.service, 'GET', path)).capacity;
    if (!asked) {
      assert.equal(await now(), mine);
      continue;
    }
    assert.equal(await now(), theirs, 'nothing was overwritten');
    assert.ok((await dialog.innerText()).includes(String(theirs)));
    await answerDialog(page, 'yes');
    await page.locator('.effect-done').first().waitFor();
    assert.equal(await now(), mine);
  }
  assert.ok(asked, 'the operator was asked');
  await context.close();
});

test('a test concert is removed once nobody has a ticket, after its title was typed', async () => {
  const title = 'Only a test';
  const { concert, schedule } = await makeSale(on.service, { title });
  const buyer = await new Buyer(on.service.url).signUp(1_000_000);
  await buyer.join(schedule);
  const bought = await buyer.buy(schedule, 1);
  assert.equal(bought.status, 201);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/concerts/${concert}`);
  const remove = page.getByRole('button', { name: 'Remove the concert…' });
  await remove.click();
  await page.locator('.toast', { hasText: 'Paid seats: 1' }).waitFor();
  const headers = { authorization: `Bearer ${buyer.token}`, 'idempotency-key': 'refund-1' };
  const payment = bought.body.payments[0].id;
  const refund = await fetch(`${on.service.url}/v1/payments/${payment}/refund`, { method: 'POST', headers });
  assert.equal(refund.status, 200);

  await remove.click();
  const field = page.locator('dialog input');
  await field.fill('something else');
  await on.takeScreenshot(page, 'admin-remove');
  await page.keyboard.press('Enter');
  await page.locator('.toast', { hasText: 'The title is different' }).waitFor();
  await remove.click();
  await field.fill(title);
  await page.keyboard.press('Enter');
  await page.locator('#console[data-part="/"]').waitFor();
  for (let left = 100; ; left -= 1) {
    const gone = await fetch(`${on.service.url}/v1/admin/concerts/${concert}`, {
      headers: { authorization: `Bearer ${on.service.admin}` },
    });
    if (gone.status === 404) break;
    assert.ok(left > 0, 'it is removed within ten seconds');
    await page.waitForTimeout(100);
  }
  await openPart(page, '/audit');
  await page.locator('.entry', { hasText: 'Concert removed' }).first().waitFor();
  await context.close();
});
