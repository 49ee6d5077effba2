/** The console's accessibility: axe on each part, by keyboard alone, on narrow screens, dark, in Korean. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createBuyers, runBuyers } from './support/crowd.mjs';
import { callAsOperator, openPart, makeSale, openConsole, refundSale } from './support/console.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
/** @type {{ concert: number, schedule: number }} */
let sale;
/** A buyer, by number. */
let person = 0;
before(async () => {
  on = await startStage();
  sale = await makeSale(on.service, { title: '한여름 밤의 콘서트', queue: { capacity: 3, admit_per_second: 4 } });
  await runBuyers(await createBuyers(on.service.url, 8), sale.schedule, 20);
  for (const buyer of await createBuyers(on.service.url, 6)) await buyer.join(sale.schedule);
  const refunded = await makeSale(on.service, { title: 'Refunded' });
  const [buyer] = await createBuyers(on.service.url, 1);
  await buyer.join(refunded.schedule);
  await buyer.buy(refunded.schedule, 2);
  person = buyer.id;
  await refundSale(on.service, refunded.schedule);
});
after(() => on.end());

/** Every part: its name, its address, and a selector that matches once it is loaded. @returns {[string, string, string][]} */
const parts = () => [
  ['overview', '/', '.concert'],
  ['concert-new', '/concerts/new', 'form'],
  ['concert', `/concerts/${sale.concert}`, 'table'],
  ['schedule-new', `/concerts/${sale.concert}/schedules/new`, 'form'],
  ['live', `/schedules/${sale.schedule}`, '.is-live #chart-errors canvas'],
  ['venue', `/schedules/${sale.schedule}/venue`, '.section-line'],
  ['seats', `/schedules/${sale.schedule}/seats`, '.adm-seat'],
  ['settings', `/schedules/${sale.schedule}/settings`, 'form'],
  ['alerts', `/schedules/${sale.schedule}/alerts`, '.card'],
  ['readiness', `/schedules/${sale.schedule}/readiness`, '.ready-line'],
  ['forecast', `/schedules/${sale.schedule}/forecast`, 'form'],
  ['rehearsal', `/schedules/${sale.schedule}/rehearsal`, 'form'],
  ['schedule-audit', `/schedules/${sale.schedule}/audit`, '.entry'],
  ['report', `/schedules/${sale.schedule}/report`, '.bars'],
  ['audit', '/audit', '.entry'],
  ['health', '/health', '.store'],
  ['jobs', '/jobs', '.job'],
  ['people', '/people', 'form'],
  ['person', `/people/${person}`, '.figures'],
  ['nowhere', '/nowhere', 'h1'],
];

for (const [name, options] of /** @type {[string, any][]} */ ([
  ['desktop', {}],
  ['desktop-dark', { colorScheme: 'dark' }],
  ['phone-korean', { locale: 'ko-KR', viewport: { width: 390, height: 844 } }],
  ['narrow-dark', { colorScheme: 'dark', viewport: { width: 320, height: 640 } }],
  ['tablet-korean-dark', { locale: 'ko-KR', colorScheme: 'dark', viewport: { width: 820, height: 1180 } }],
])) {
  test(`axe finds no violation in any part, and nothing is wider than the screen: ${name}`, async () => {
    const context = await on.context(options);
    const page = await openConsole(context, on.service);
    // Collects all problems instead of failing at the first.
    const wrong = /** @type {string[]} */ ([]);
    const check = async (/** @type {string} */ part) => {
      await on.assertAccessible(page, part).catch((/** @type {Error} */ error) => wrong.push(error.message.split('\n+ actual')[0]));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide !== 0) wrong.push(`${part} is ${wide} px too wide`);
    };
    for (const [part, address, there] of parts()) {
      await openPart(page, address);
      await page.locator(there).first().waitFor();
      await on.takeScreenshot(page, `admin-${part}-${name}`, { full: true });
      await check(part);
    }
    await page.getByRole('button', { name: /Sign out|로그아웃/ }).click();
    await page.locator('#token').waitFor();
    await check('sign-in');
    assert.equal(wrong.join('\n'), '');
    await context.close();
  });
}

test('a sale is paused and a seat held back by keyboard alone', async () => {
  const { schedule } = await makeSale(on.service);
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${schedule}`);
  await page.locator('.kpi').first().waitFor();
  /** Presses Tab until the focus is on the selector. @param {string} selector */
  const tabTo = async (selector) => {
    for (let times = 0; times < 400; times += 1) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate((wanted) => {
        const here = document.activeElement;
        const outline = here ? getComputedStyle(here).outlineStyle : 'none';
        return { there: here?.matches(wanted) ?? false, shown: outline !== 'none' };
      }, selector);
      if (at.there) return assert.ok(at.shown, `the focus on ${selector} is visible`);
    }
    return assert.fail(`Tab does not reach ${selector}`);
  };
  await tabTo('.pause .button');
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').waitFor();
  await on.assertAccessible(page, 'question');
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  assert.ok(await page.evaluate(() => document.activeElement?.matches('.pause .button')), 'the focus returns');
  await page.keyboard.press('Enter');
  await tabTo('dialog button[value="yes"]');
  await page.keyboard.press('Enter');
  await page.locator('.effect-done').waitFor();
  assert.equal((await callAsOperator(on.service, 'GET', `/v1/admin/schedules/${schedule}/queue`)).paused, true);

  await openPart(page, `/schedules/${schedule}/seats`);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1', 'a part starts at its heading');
  await tabTo('.adm-seat');
  await page.keyboard.press('Space');
  await tabTo('.seat-bar .button');
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').waitFor();
  await tabTo('dialog button[value="yes"]');
  await page.keyboard.press('Enter');
  await page.locator('.effect-done').waitFor();
  assert.equal((await callAsOperator(on.service, 'GET', `/v1/admin/schedules/${schedule}/seats/blocked`)).seat_ids.length, 1);
  await context.close();
});

test('the other language opens the same part', async () => {
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${sale.schedule}/report`);
  await page.locator('a.switch').first().click();
  await page.locator('.report').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'ko');
  assert.match(page.url(), /#\/schedules\/\d+\/report$/);
  await context.close();
});
