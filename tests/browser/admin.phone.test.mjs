/** The console on a phone: nothing is cut, everything can be touched, and the pause is within reach of a thumb. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PHONE } from './support/browser.mjs';
import { answerDialog, callAsOperator, makeSale, openConsole, openPart } from './support/console.mjs';
import { consoleParts, fillConsole } from './support/parts.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
/** @type {import('./support/parts.mjs').Filled} */
let sale;
before(async () => {
  on = await startStage();
  sale = await fillConsole(on.service, 'Midsummer Night in the Park');
});
after(() => on.end());

/** Smallest side of a target, in px. */
const TARGET = 44;

/**
 * What is wrong with the part on the screen: wider than it, cut at its edge, or too small to touch. A link in a
 * sentence has the size of its line; a checkbox is touched by its label.
 * @param {import('playwright-core').Page} page
 */
const findFaults = (page) =>
  page.evaluate((target) => {
    const faults = [];
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) faults.push(`${scrollWidth - clientWidth} px too wide`);
    const shown = (/** @type {Element} */ one) => one.checkVisibility({ visibilityProperty: true });
    const nameOf = (/** @type {Element} */ one) => `${one.tagName}.${one.className} "${(one.textContent ?? '').trim().slice(0, 30)}"`;
    for (const one of document.querySelectorAll(':is(#console, dialog[open]) *')) {
      if (!shown(one) || one.closest('.table-wrap:not(.as-list), .unseen, canvas, svg, .map, .clip, s')) continue;
      const { right, left, width } = one.getBoundingClientRect();
      if (width > 1 && (right > clientWidth + 1 || left < -1)) faults.push(`cut: ${nameOf(one)}`);
    }
    for (const one of document.querySelectorAll('#console .table-wrap')) {
      if (shown(one) && one.scrollWidth > one.clientWidth + 1) faults.push(`scrolls: ${one.getAttribute('aria-label')}`);
    }
    const inSentence = (/** @type {Element} */ one) =>
      one.tagName === 'A' &&
      getComputedStyle(one).display === 'inline' &&
      (one.parentElement?.textContent ?? '').trim() !== one.textContent?.trim();
    for (const one of document.querySelectorAll(':is(#console, dialog[open]) :is(button, a, input, select, textarea, summary)')) {
      if (!shown(one) || inSentence(one)) continue;
      const touched = one.matches('[type="checkbox"], [type="radio"]') ? (one.closest('label') ?? one) : one;
      const { width, height } = touched.getBoundingClientRect();
      if (height < target - 0.5 || width < target - 0.5) faults.push(`${Math.round(width)} × ${Math.round(height)}: ${nameOf(one)}`);
    }
    return faults;
  }, TARGET);

test('in no part is anything cut, and every target has 44 px', async () => {
  for (const lang of /** @type {const} */ (['en', 'ko'])) {
    const context = await on.context({ size: PHONE, lang });
    const page = await openConsole(context, on.service);
    const wrong = /** @type {string[]} */ ([]);
    for (const [name, address, there] of consoleParts(sale)) {
      await openPart(page, address);
      await page.locator(there).first().waitFor();
      wrong.push(...(await findFaults(page)).map((fault) => `${name}: ${fault}`));
      await on.takeScreenshot(page, `admin-phone-${name}-${lang}`, { full: true });
    }
    assert.equal(wrong.join('\n'), '', lang);
    await context.close();
  }
});

test('what appears after a click is not cut either', async () => {
  const { schedule: coming } = await makeSale(on.service, { title: 'Coming', opensInSeconds: 3600, queue: { capacity: 40 } });
  const context = await on.context({ size: PHONE });
  const page = await openConsole(context, on.service, `/schedules/${coming}/forecast`);
  const assertFits = async (/** @type {string} */ name) => {
    assert.deepEqual(await findFaults(page), [], name);
    await on.takeScreenshot(page, `admin-phone-${name}`, { full: true });
  };
  await page.getByLabel('People expected').fill('100');
  await page.getByRole('button', { name: 'Plan', exact: true }).tap();
  await page.locator('.recommended').first().waitFor();
  await page.getByRole('button', { name: 'Simulate' }).tap();
  await page.locator('#forecast-sold canvas').waitFor();
  await page.evaluate(() => {
    for (const more of document.querySelectorAll('details')) more.open = true;
  });
  await assertFits('forecast-results');

  await openPart(page, `/schedules/${sale.schedule}/report`);
  await page.getByRole('button', { name: 'Show what would happen' }).tap();
  await page.locator('.refund .figures').waitFor();
  await page.locator('.report summary').tap();
  await assertFits('refund');

  await openPart(page, '/box-office');
  await page.getByLabel('Name, number or id').fill(String(sale.person));
  await page.getByRole('button', { name: 'Find' }).tap();
  await page.locator('.entry').first().waitFor();
  await assertFits('found');

  await openPart(page, `/schedules/${sale.schedule}/settings`);
  await page.getByLabel('Capacity').waitFor();
  await callAsOperator(on.service, 'PATCH', `/v1/admin/schedules/${sale.schedule}/queue`, { capacity: 5 });
  await page.getByLabel('Capacity').fill('6');
  await page.getByRole('button', { name: 'Save' }).tap();
  await answerDialog(page, 'yes');
  await page.locator('dialog', { hasText: 'Another operator changed this meanwhile' }).waitFor();
  await assertFits('conflict');
  await on.assertAccessible(page, 'conflict');
  await context.close();
});

test('the bar pauses and resumes the sale wherever the operator has scrolled to', async () => {
  const { schedule } = await makeSale(on.service, { title: 'By thumb' });
  const settings = () => callAsOperator(on.service, 'GET', `/v1/admin/schedules/${schedule}/queue`);
  const context = await on.context({ size: PHONE });
  const page = await openConsole(context, on.service, `/schedules/${schedule}`);
  await page.locator('.is-live #chart-errors canvas').waitFor();
  const button = page.locator('.live-bar button');
  for (const share of [0, 0.5, 1]) {
    await page.evaluate((part) => window.scrollTo(0, part * document.documentElement.scrollHeight), share);
    const box = await button.boundingBox();
    assert.ok(box && box.y > PHONE.viewport.height * 0.9 && box.y + box.height <= PHONE.viewport.height, JSON.stringify(box));
  }
  assert.equal(await page.locator('.live-bar dd').last().innerText(), await page.locator('#tile-sold strong').innerText());
  await button.tap();
  await page.locator('dialog[open]').waitFor();
  await on.takeScreenshot(page, 'admin-phone-pause');
  await answerDialog(page, 'yes');
  await page.locator('.live-bar button', { hasText: 'Resume' }).waitFor();
  assert.equal((await settings()).paused, true);
  await on.takeScreenshot(page, 'admin-phone-paused');
  await page.locator('.live-bar button').tap();
  await page.locator('.live-bar button', { hasText: 'Pause' }).waitFor();
  assert.equal((await settings()).paused, false);
  await on.assertAccessible(page, 'the bar');
  await context.close();
});

test('the tabs and the parts of the console fold into menus', async () => {
  const context = await on.context({ size: PHONE });
  const page = await openConsole(context, on.service, `/schedules/${sale.schedule}`);
  const [fold, links] = [page.locator('.tabs .fold'), page.locator('.tabs a')];
  await fold.filter({ hasText: 'Live' }).waitFor();
  assert.equal(await links.first().isVisible(), false);
  await fold.tap();
  const groups = await page.locator('.tab-group').allInnerTexts();
  assert.deepEqual(
    groups.map((text) => text.split('\n').filter(Boolean)),
    [
      ['Before the sale', 'Venue', 'Seats', 'Settings', 'Readiness', 'Forecast', 'Rehearsal'],
      ['During the sale', 'Live', 'Alerts'],
      ['After the sale', 'Guests', 'Report', 'Audit log'],
    ],
  );
  await on.assertAccessible(page, 'the open menu');
  await on.takeScreenshot(page, 'admin-phone-menu');
  await page.getByRole('link', { name: 'Report' }).tap();
  await page.locator('.tabs .fold', { hasText: 'Report' }).waitFor();
  assert.equal(await links.first().isVisible(), false, 'the menu is closed again');

  // A touch elsewhere closes a menu too.
  const nav = page.locator('#console-nav .fold');
  await nav.tap();
  await page.locator('#console-nav a', { hasText: 'Health' }).waitFor();
  await page.locator('h1').tap();
  await page.locator('#console-nav a', { hasText: 'Health' }).waitFor({ state: 'hidden' });
  await nav.tap();
  await page.locator('#console-nav a', { hasText: 'Health' }).tap();
  await page.locator('.store').first().waitFor();
  await context.close();
});
