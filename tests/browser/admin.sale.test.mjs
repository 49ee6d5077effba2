/** The console: creating a sale, and who has no access. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Buyer } from './support/crowd.mjs';
import { answerDialog, callAsOperator, openPart, makeSale, openConsole } from './support/console.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

test('a sale is created from nothing until it is open and a buyer buys in it', async () => {
  const context = await on.context();
  const page = await openConsole(context, on.service);
  await page.getByRole('link', { name: 'New concert' }).click();
  await page.getByLabel('Title').fill('The First Night');
  await page.getByLabel('Description').fill('Once only.');
  await page.getByRole('button', { name: 'Create and add a date' }).click();

  await page.getByLabel('Sale opens').waitFor();
  // The browser is in Seoul.
  const local = (/** @type {number} */ ms) => new Date(ms + 9 * 3_600_000).toISOString().slice(0, 16);
  await page.getByLabel('Sale opens').fill(local(Date.now() - 60_000));
  await page.getByLabel('Sale closes').fill(local(Date.now() + 3_600_000));
  await page.getByLabel('Concert starts').fill(local(Date.now() + 7_200_000));
  await page.getByLabel('Capacity').fill('7');
  await page.getByRole('button', { name: 'Create and add seats' }).click();

  await page.locator('.section-line').first().waitFor();
  const drawn = () =>
    page.locator('.preview canvas.map-seats').evaluate((canvas) => {
      const { width, height } = /** @type {HTMLCanvasElement} */ (canvas);
      const pen = /** @type {CanvasRenderingContext2D} */ (/** @type {HTMLCanvasElement} */ (canvas).getContext('2d'));
      const { data } = pen.getImageData(0, 0, width, height);
      return data.reduce((sum, value, at) => (at % 4 === 3 && value > 0 ? sum + at : sum), 0);
    });
  /** Waits until the drawing is another one. @param {number} before */
  const redrawn = async (before) => {
    for (let left = 100; left > 0; left -= 1) {
      const now = await drawn();
      if (now !== before) return now;
      await page.waitForTimeout(50);
    }
    return assert.fail('the preview stays the same');
  };
  const line = page.locator('.section-line').first();
  await line.getByLabel('Section').fill('Stalls');
  await line.getByLabel('Rows').fill('4');
  await page.locator('.preview canvas.map-seats').waitFor();
  const small = await redrawn(0);
  await line.getByLabel('Rows').fill('40');
  await redrawn(small);
  await line.getByLabel('Rows').fill('4');
  await line.getByLabel('Seats per row').fill('5');
  await line.getByLabel('Price').fill('90000');
  await page.getByRole('button', { name: 'Add a section' }).click();
  const second = page.locator('.section-line').nth(1);
  await second.getByLabel('Section').fill('Circle');
  await second.getByLabel('Rows').fill('2');
  await second.getByLabel('Seats per row').fill('5');
  assert.match(await page.locator('.total').innerText(), /30 seats/);
  await page.getByRole('button', { name: 'Add these seats' }).click();
  await answerDialog(page, 'yes');

  await page.locator('.status[data-kind]').waitFor();
  await page.locator('#tile-sold .kpi-note', { hasText: 'of 30' }).waitFor();
  const schedule = Number(/schedules\/(\d+)/.exec(page.url())?.[1]);
  // Nobody but the operator sees the draft.
  const isPublic = async () => (await fetch(`${on.service.url}/v1/schedules/${schedule}`)).status;
  assert.equal(await isPublic(), 404);
  await page.getByRole('button', { name: 'Publish…' }).click();
  await page.locator('dialog', { hasText: 'opens at once' }).waitFor();
  await answerDialog(page, 'yes');
  await page.locator('.strip-draft').waitFor({ state: 'detached' });
  assert.equal(await isPublic(), 200);
  const made = await callAsOperator(on.service, 'GET', `/v1/admin/schedules/${schedule}/queue`);
  assert.equal(made.capacity, 7);
  const buyer = await new Buyer(on.service.url).signUp(1_000_000);
  assert.equal((await buyer.join(schedule)).body.status, 'ACTIVE');
  assert.equal((await buyer.buy(schedule, 2)).status, 201);
  await page.locator('#tile-sold strong', { hasText: '2' }).waitFor();
  await on.takeScreenshot(page, 'admin-live-new', { full: true });
  await context.close();
});

test('a concert is changed and withdrawn, and a date is postponed, each after a confirmation', async () => {
  const { concert, schedule } = await makeSale(on.service, { title: 'Before' });
  const context = await on.context();
  const page = await openConsole(context, on.service, `/concerts/${concert}`);
  await page.getByLabel('Title').fill('After');
  await page.getByLabel('Status').selectOption('UNAVAILABLE');
  await page.getByRole('button', { name: 'Save' }).click();
  await answerDialog(page, 'no');
  assert.equal((await callAsOperator(on.service, 'GET', `/v1/concerts/${concert}`)).title, 'Before', 'declined, so nothing changed');
  await page.getByRole('button', { name: 'Save' }).click();
  await answerDialog(page, 'yes');
  await page.locator('.toast').first().waitFor();
  const changed = await callAsOperator(on.service, 'GET', `/v1/concerts/${concert}`);
  assert.deepEqual([changed.title, changed.status], ['After', 'UNAVAILABLE']);

  await openPart(page, `/schedules/${schedule}/settings`);
  const field = page.getByLabel('Concert starts');
  const before = await field.inputValue();
  const form = await field.elementHandle();
  const later = `${Number(before.slice(0, 4)) + 1}${before.slice(4)}`;
  await field.fill(later);
  await page.getByRole('button', { name: 'Change the times' }).click();
  await page.locator('dialog .changes').waitFor();
  await on.takeScreenshot(page, 'admin-postpone', { full: true });
  await answerDialog(page, 'yes');
  // The form is drawn again with the stored times.
  await page.waitForFunction((old) => !old?.isConnected, form);
  assert.equal(await field.inputValue(), later);
  const moved = await callAsOperator(on.service, 'GET', `/v1/schedules/${schedule}`);
  assert.equal(new Date(moved.concert_at).getFullYear(), Number(later.slice(0, 4)));
  await page.getByLabel('Sale closes').fill('2001-01-01T00:00');
  await page.getByRole('button', { name: 'Change the times' }).click();
  await answerDialog(page, 'yes');
  await page.locator('[role=alert]', { hasText: '“Sale opens” and “Sale closes” are in the wrong order' }).waitFor();
  await context.close();
});

test('only an operator has access, and the token is in no address', async () => {
  const context = await on.context();
  const page = await context.newPage();
  await page.goto(`${on.service.url}/admin`);
  await page.getByLabel('Access token').fill('nonsense');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('[role=alert]', { hasText: 'not valid' }).waitFor();
  const buyer = await new Buyer(on.service.url).signUp();
  await page.getByLabel('Access token').fill(String(buyer.token));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('[role=alert]', { hasText: 'no role in the console' }).waitFor();
  await on.takeScreenshot(page, 'admin-signin', { full: true });
  // A token in the address is refused too.
  await page.goto(`${on.service.url}/admin#token=${buyer.token}`);
  await page.reload();
  await page.locator('[role=alert]', { hasText: 'no role in the console' }).waitFor();

  await page.getByLabel('Access token').fill(` ${on.service.admin}\n`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#console-nav').waitFor();
  assert.ok(!page.url().includes('token'), page.url());
  const kept = await page.evaluate(() => [JSON.stringify(localStorage), document.cookie]);
  assert.ok(
    kept.every((text) => !text.includes(on.service.admin)),
    'only this tab stores it',
  );
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Access token').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem('onsale.admin')), null);
  await context.close();
});

test('hostile titles, sections and messages are text in every part', async () => {
  const script = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
  const title = `${script} \u202Eevil ${'x'.repeat(100)}`.slice(0, 200);
  const { concert, schedule } = await makeSale(on.service, {
    title,
    sections: [{ name: '<b>=1+1</b>', rows: 2, seats_per_row: 3, seat_price: 5 }],
  });
  const message = `${script}${'long '.repeat(150)}`;
  await callAsOperator(on.service, 'PATCH', `/v1/admin/schedules/${schedule}/queue`, { message });
  await callAsOperator(on.service, 'PATCH', `/v1/admin/concerts/${concert}`, { description: 'y'.repeat(10_000) });
  const context = await on.context({ viewport: { width: 390, height: 800 } });
  const page = await openConsole(context, on.service);
  for (const part of [
    '/',
    `/concerts/${concert}`,
    ...['', '/venue', '/seats', '/settings', '/audit', '/report'].map((end) => `/schedules/${schedule}${end}`),
    '/audit',
  ]) {
    await openPart(page, part);
    if (part === `/schedules/${schedule}`) await page.locator('.message-now', { hasText: 'long' }).waitFor();
    const found = await page.evaluate(() => ({
      hacked: /** @type {any} */ (window).hacked,
      made: document.querySelectorAll('main img, main script, main b b').length,
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    }));
    assert.deepEqual(found, { hacked: undefined, made: 0, wide: 0 }, part);
  }
  assert.ok((await page.locator('.entries').innerText()).includes('<img src=x'), 'it is shown as text');
  await on.takeScreenshot(page, 'admin-hostile-phone', { full: true });
  await context.close();
});
