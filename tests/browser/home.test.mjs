// The home page and a concert's page with several pages of entries, with and without scripts.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAccessible, DESKTOP, openPage, PHONE, takeScreenshot } from './support/browser.mjs';
import { call, openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

const ONE_ROW = [{ name: 'Floor', rows: 1, seats_per_row: 4, seat_price: 50_000 }];

/** @type {import('./support/stage.mjs').Stage} */
let on;
/** @type {import('./support/sale.mjs').Sale} */
let newest;
/** @type {import('./support/sale.mjs').Sale} */
let many;
before(async () => {
  on = await startStage();
  for (let n = 0; n < 22; n += 1) await openSale(on.service, { title: `Season ${n}`, sections: ONE_ROW, opensIn: -9000 + n });
  await openSale(on.service, { title: 'Long ago', sections: ONE_ROW, opensIn: -9000, closesIn: -60 });
  await openSale(on.service, { title: 'Next week', sections: ONE_ROW, opensIn: 7 * 86_400, closesIn: 8 * 86_400 });
  newest = await openSale(on.service, { title: 'The newest', sections: ONE_ROW, opensIn: -1 });
  many = await openSale(on.service, { title: 'Many dates', sections: ONE_ROW, opensIn: -8000 });
  const at = (/** @type {number} */ seconds) => new Date(Date.now() + seconds * 1000).toISOString();
  const ends = [-30, ...Array.from({ length: 33 }, (_, n) => 90_000 + n * 86_400)];
  for (const closes of ends) {
    const times = { reservation_available_at: at(-9000), deadline_at: at(closes), concert_at: at(closes + 3600) };
    await call(on.service, 'POST', `/v1/admin/concerts/${many.concert}/schedules`, { token: on.service.admin, body: times });
  }
});
after(() => on.end());

for (const [lang, size, dark] of /** @type {const} */ ([
  ['en', DESKTOP, false],
  ['ko', PHONE, true],
])) {
  test(`the newest sale comes first, ended sales are missing, and links lead to the rest: ${lang}`, async () => {
    const page = await openPage(on.browser, on.service, { lang, size, dark });
    await page.goto('/');
    const sections = page.locator('.sale-section');
    // The demo concert of `onsale dev` has a date that opens even later.
    const first = (await sections.nth(0).locator('h3').allTextContents()).slice(0, 2);
    assert.ok(first.includes('The newest'), String(first));
    assert.deepEqual(await sections.nth(1).locator('h3').allTextContents(), ['Next week']);
    assert.equal(await page.getByText('Long ago').count(), 0);
    await page.locator(`[data-schedule="${newest.id}"] [data-part="left"]`).filter({ hasText: '4' }).waitFor();
    await takeScreenshot(page, `home-${lang}`, { full: true });
    await assertAccessible(page, 'the home page');
    const seen = new Set(await page.locator('h3').allTextContents());
    await page.locator('a[rel="next"]').click();
    await page.waitForURL('**/?open=*');
    for (const title of await page.locator('h3').allTextContents()) seen.add(title);
    for (let n = 0; n < 22; n += 1) assert.ok(seen.has(`Season ${n}`), `Season ${n}`);
    await assertAccessible(page, 'more concerts');
    // The same page in the other language.
    await page.locator('.switch').click();
    await page.locator(`html[lang="${lang === 'en' ? 'ko' : 'en'}"]`).waitFor();
    assert.ok((await page.locator('h3').count()) < 20);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

test('every date of a concert can be reached without scripts', async () => {
  const context = await on.context({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto('/');
  const card = page.locator(`.show[data-concert="${many.concert}"]`);
  assert.equal(await card.locator('.date').count(), 3);
  await card.locator('.show-next a').click();
  assert.equal(await page.locator('.date').count(), 30);
  await page.locator('a[rel="next"]').click();
  assert.equal(await page.locator('.date').count(), 4);
  await page.goto(`/concerts/${many.concert}`);
  await takeScreenshot(page, 'concert-many', { full: true });
  await page.locator('.show-next a').last().click();
  assert.equal(await page.locator('.date[data-phase="CLOSED"]').count(), 1);
  await takeScreenshot(page, 'concert-past');
  await context.close();
});

test('the dates on further pages follow the sale too', async () => {
  const page = await openPage(on.browser, on.service);
  await page.goto(`/concerts/${many.concert}`);
  await page.locator('a[rel="next"]').click();
  const last = page.locator('.date').last();
  const id = Number(await last.getAttribute('data-schedule'));
  await call(on.service, 'POST', `/v1/admin/schedules/${id}/seats`, { token: on.service.admin, body: { sections: ONE_ROW } });
  await last.locator('[data-part="left"]').filter({ hasText: '4 seats left' }).waitFor();
  await assertAccessible(page, 'more dates');
  await page.context().close();
});
