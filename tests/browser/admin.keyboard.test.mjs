/** The console by keyboard alone: every part, its dialogs and its menus. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PHONE } from './support/browser.mjs';
import { callAsOperator, makeSale, openConsole, openPart } from './support/console.mjs';
import { consoleParts, fillConsole } from './support/parts.mjs';
import { startStage } from './support/stage.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('./support/stage.mjs').Stage} */
let on;
/** @type {import('./support/parts.mjs').Filled} */
let sale;
before(async () => {
  on = await startStage();
  sale = await fillConsole(on.service);
});
after(() => on.end());

/**
 * Presses Tab through the console, from its first control to its last. Returns what is wrong: a control that Tab
 * does not reach, a focus that cannot be seen, and a control with the focus behind another element.
 * @param {Page} page
 */
async function walk(page) {
  const count = await page.evaluate(() => {
    const controls = [
      ...document.querySelectorAll('#console :is(button, a[href], input, select, textarea, summary, [tabindex="0"])'),
    ].filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.matches(':disabled, [type="radio"]:not(:checked)'));
    controls.forEach((one, at) => one.setAttribute('data-stop', String(at)));
    /** @type {HTMLElement} */ (document.querySelector('#main')).focus();
    return controls.length;
  });
  const reached = new Set();
  const faults = new Set();
  // A field for a time has a stop for each of its parts.
  for (let presses = 0; presses < count + 60 && reached.size < count; presses += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const here = /** @type {HTMLElement} */ (document.activeElement);
      const { left, top, width, height } = here.getBoundingClientRect();
      const [x, y] = [left + width / 2, top + height / 2];
      const above = document.elementFromPoint(Math.min(Math.max(x, 0), innerWidth - 1), y);
      const style = getComputedStyle(here);
      return {
        stop: here.dataset.stop,
        name: `${here.tagName}.${here.className} "${(here.textContent ?? '').trim().slice(0, 30)}"`,
        shown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        free: height > innerHeight || (above !== null && (here.contains(above) || above.contains(here))),
      };
    });
    if (at.stop === undefined) continue;
    reached.add(at.stop);
    if (!at.shown) faults.add(`no visible focus: ${at.name}`);
    if (!at.free) faults.add(`behind another element: ${at.name}`);
  }
  const missed = await page.evaluate(
    (seen) =>
      [...document.querySelectorAll('[data-stop]')]
        .filter((one) => !seen.includes(one.getAttribute('data-stop') ?? ''))
        .map((one) => `${one.tagName}.${one.className} "${(one.textContent ?? '').trim().slice(0, 30)}"`),
    [...reached],
  );
  return [...faults, ...missed.map((name) => `not reached: ${name}`)];
}

for (const [name, options] of /** @type {[string, any][]} */ ([
  ['on a desktop', {}],
  ['on a small screen', { size: PHONE }],
])) {
  test(`Tab reaches every control of every part, and its focus is seen: ${name}`, async () => {
    const context = await on.context(options);
    const page = await openConsole(context, on.service);
    const wrong = /** @type {string[]} */ ([]);
    for (const [part, address, there] of consoleParts(sale)) {
      await openPart(page, address);
      await page.locator(there).first().waitFor();
      wrong.push(...(await walk(page)).map((fault) => `${part}: ${fault}`));
    }
    assert.equal(wrong.join('\n'), '');
    await context.close();
  });
}

test('Escape closes each dialog without an effect, and the focus returns to its button', async () => {
  const context = await on.context();
  const page = await openConsole(context, on.service);
  const unsold = await makeSale(on.service, { title: 'Unsold' });
  /** The part, the button, and what is filled in before. @type {[string, string, string?][]} */
  const dialogs = [
    [`/schedules/${sale.schedule}`, '.pause .button'],
    [`/schedules/${sale.schedule}/guests`, 'tbody .button'],
    [`/schedules/${unsold.schedule}/settings`, '.card:last-child .button.danger'],
    [`/concerts/${unsold.concert}`, '.card:last-child .button.danger'],
    [`/people/${sale.person}`, 'form.adm-form .button', 'form.adm-form textarea'],
    [`/box-office/buyers/${sale.person}`, '.part-head .button'],
  ];
  for (const [part, selector, field] of dialogs) {
    await openPart(page, part);
    if (field) await page.locator(field).fill('At the buyer’s request');
    const button = page.locator(selector).first();
    await page.locator(`${selector}:not(:disabled)`).first().waitFor();
    await button.focus();
    await page.keyboard.press('Enter');
    await page.locator('dialog[open]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    assert.ok(await button.evaluate((one) => one === document.activeElement), `${part}: the focus returns`);
    await openPart(page, '/health');
  }
  const { items } = await callAsOperator(on.service, 'GET', '/v1/admin/audit?limit=5');
  assert.ok(!items.some((/** @type {{ action: string }} */ { action }) => /erase|remove|revoke|reissue|queue/.test(action)));
  await context.close();
});

test('a menu opens and closes by keys', async () => {
  const context = await on.context({ size: PHONE });
  const page = await openConsole(context, on.service, `/schedules/${sale.schedule}/report`);
  const fold = page.locator('.tabs .fold');
  await fold.focus();
  await page.keyboard.press('Enter');
  await page.locator('.tabs a').first().waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Escape');
  await page.locator('.tabs a').first().waitFor({ state: 'hidden' });
  assert.ok(await fold.evaluate((one) => one === document.activeElement), 'the focus returns');
  await page.keyboard.press('Space');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('.section-line').first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1', 'a part starts at its heading');
  await context.close();
});

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
