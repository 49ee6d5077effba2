/** The box office in the console: find, refund, move, reissue and give seats. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerDialog, callAsOperator, openConsole, openPart } from './support/console.mjs';
import { call, createBuyer, openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

/** A buyer who has paid for two seats. @param {import('./support/sale.mjs').Sale} sale @param {string} name */
async function createOwner(sale, name) {
  const who = await createBuyer(on.service, { sale, name, points: 1_000_000 });
  const seats = sale.seats.slice(0, 2).map(({ id }) => id);
  const hold = await who.hold({ seat_ids: seats });
  await who.pay(hold.hold_id);
  return { who, hold };
}

/** Gives a reason in the open dialog and confirms. @param {import('playwright-core').Page} page @param {string} reason */
async function giveReason(page, reason) {
  await page.locator('dialog[open] textarea').fill(reason);
  await answerDialog(page, 'yes');
}

test('a buyer is found by name, moved and refunded, and the history says why', async () => {
  const sale = await openSale(on.service);
  const { who, hold } = await createOwner(sale, 'Mina Park');
  const context = await on.context();
  const page = await openConsole(context, on.service, '/box-office');
  await page.getByLabel('Name, number or id').fill('mina');
  await page.getByRole('button', { name: 'Find' }).click();
  await page.locator('.entry').first().waitFor();
  await on.takeScreenshot(page, 'box-office-found', { full: true });
  await on.assertAccessible(page, 'results');
  await page.locator('.entry a', { hasText: 'Mina Park' }).click();
  await page.locator('.box-seat').first().waitFor();
  await on.takeScreenshot(page, 'box-office-buyer', { full: true });
  await on.assertAccessible(page, 'buyer');

  const [first, second] = hold.reservations.map((/** @type {{ id: number }} */ { id }) => id);
  const row = (/** @type {number} */ id) => page.locator(`.box-seat[data-reservation="${id}"]`);
  await row(first).getByRole('button', { name: /^Move/ }).click();
  await page.locator('dialog[open] select').nth(1).selectOption(String(sale.seats[40].id));
  await on.assertAccessible(page, 'the question');
  await on.takeScreenshot(page, 'box-office-move');
  // Without a reason nothing is done.
  await page.locator('dialog[open] button[value="yes"]').click();
  assert.equal(await page.locator('dialog[open]').count(), 1);
  await giveReason(page, 'Behind a pillar');
  await row(first)
    .filter({ hasText: `seat ${sale.seats[40].seat_number}` })
    .waitFor();
  const moved = await who.ask('GET', `/v1/reservations/${first}`);
  assert.equal(moved.seat_id, sale.seats[40].id);

  await row(second)
    .getByRole('button', { name: /^Refund/ })
    .click();
  await giveReason(page, 'The buyer is ill');
  await row(second).filter({ hasText: 'refunded' }).waitFor();
  assert.equal((await who.ask('GET', '/v1/points')).amount, 850_000);
  const history = page.locator('.box-history');
  await history.locator('[data-kind="BOX_OFFICE_REFUND"]', { hasText: 'The buyer is ill' }).waitFor();
  await history.locator('[data-kind="MOVED"]', { hasText: 'Behind a pillar' }).waitFor();
  await on.takeScreenshot(page, 'box-office-history', { full: true });

  // The seat that was left tells its own story, and its owner is nobody.
  await openPart(page, `/box-office/seats/${sale.seats[0].id}`);
  await page.locator('.box-history [data-kind="MOVED"]').waitFor();
  await page.locator('.badge', { hasText: 'for sale' }).waitFor();
  await on.assertAccessible(page, 'seat');
  await on.takeScreenshot(page, 'box-office-seat', { full: true });
  const audit = await callAsOperator(on.service, 'GET', '/v1/admin/audit?action=box_office.move');
  assert.equal(audit.items[0].after.reason, 'Behind a pillar');
  await context.close();
});

test('seats are given to a guest by their numbers and taken back', async () => {
  const sale = await openSale(on.service);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${sale.id}/guests`);
  await page.getByLabel('Guest', { exact: true }).fill('Press: Lee');
  await page.getByLabel('Seat numbers').fill('20, x');
  await page.getByLabel('Reason').fill('Review');
  await page.getByRole('button', { name: 'Give seats' }).click();
  await page.locator('.toast', { hasText: 'Write seat numbers' }).first().waitFor();
  await page.getByLabel('Seat numbers').fill('20, 22-23');
  await page.getByRole('button', { name: 'Give seats' }).click();
  await page.locator('tbody tr').nth(2).waitFor();
  await on.takeScreenshot(page, 'box-office-guests', { full: true });
  await on.assertAccessible(page, 'guests');
  const stats = await callAsOperator(on.service, 'GET', `/v1/admin/schedules/${sale.id}/stats`);
  assert.deepEqual([stats.guests, stats.sold], [3, 0]);
  await page.locator('tbody tr').first().getByRole('button', { name: 'Take back' }).click();
  await giveReason(page, 'Cannot come');
  await page.locator('tbody .badge', { hasText: 'taken back' }).waitFor();
  const list = await callAsOperator(on.service, 'GET', `/v1/admin/box-office/schedules/${sale.id}/guests`);
  assert.equal(list.items.filter((/** @type {{ revoked_at: string | null }} */ one) => one.revoked_at === null).length, 2);
  await context.close();
});

test('a buyer who lost the telephone continues at the same place with a new link', async () => {
  const sale = await openSale(on.service, { queue: { capacity: 0 } });
  const lost = await createBuyer(on.service, { sale, name: 'Jun Seo' });
  const { ticket_id } = await call(on.service, 'GET', '/v1/queue/ticket', { ticket: lost.tickets[sale.id] });
  const context = await on.context();
  const page = await openConsole(context, on.service, `/box-office/buyers/${lost.session.id}`);
  const button = page.getByRole('button', { name: /^New link to the place/ });
  // The queue is archived about a second behind.
  for (let tries = 0; (await button.count()) === 0 && tries < 20; tries += 1) {
    await page.waitForTimeout(500);
    await openPart(page, '/box-office');
    await openPart(page, `/box-office/buyers/${lost.session.id}`);
  }
  await button.click();
  await giveReason(page, 'Showed an identity card');
  await page.locator('dialog[open] .qr').waitFor();
  await on.takeScreenshot(page, 'box-office-place');
  const link = await page.locator('dialog[open] input').inputValue();
  await page.locator('dialog[open] button[value="yes"]').click();
  await page.locator('.box-history [data-kind="PLACE_REISSUED"]').waitFor();

  const telephone = await on.context();
  const theirs = await telephone.newPage();
  await theirs.goto(link);
  await theirs.locator('#go').click();
  await theirs.waitForURL(`**/schedules/${sale.id}/wait`);
  const stored = await theirs.evaluate((id) => localStorage.getItem(`onsale.ticket.${id}`) ?? '', sale.id);
  const token = /eyJ[\w.-]+/.exec(stored)?.[0] ?? '';
  const seen = await call(on.service, 'GET', '/v1/queue/ticket', { ticket: token });
  assert.equal(seen.ticket_id, ticket_id);
  await telephone.close();
  await context.close();
});
