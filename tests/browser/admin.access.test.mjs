/** The console's accessibility: axe on each part, on narrow screens, dark, in Korean. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPart, openConsole } from './support/console.mjs';
import { consoleParts, fillConsole } from './support/parts.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
/** @type {import('./support/parts.mjs').Filled} */
let sale;
before(async () => {
  on = await startStage();
  sale = await fillConsole(on.service);
});
after(() => on.end());

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
    for (const [part, address, there] of consoleParts(sale)) {
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

test('the other language opens the same part', async () => {
  const context = await on.context();
  const page = await openConsole(context, on.service, `/schedules/${sale.schedule}/report`);
  await page.locator('a.switch').first().click();
  await page.locator('.report').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'ko');
  assert.match(page.url(), /#\/schedules\/\d+\/report$/);
  await context.close();
});
