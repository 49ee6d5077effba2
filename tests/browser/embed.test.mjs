// A custom waiting page, the client on another site, and the size of a first visit.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';

import { assertAccessible, openPage, takeScreenshot } from './support/browser.mjs';
import { waitForState, joinByPage, createQueue, waitForSlot } from './support/line.mjs';
import { openSale } from './support/sale.mjs';
import { startService } from './support/service.mjs';
import { launch } from './support/browser.mjs';

/** @type {import('./support/service.mjs').Service} */
let service;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {string} */
let folder;
/** The other site, the sale it sells, and its address. @type {import('node:http').Server} */
let shop;
let onShop = 1;
let origin = '';
const example = await readFile(new URL('../../docs/example.html', import.meta.url), 'utf8');
const docs = await readFile(new URL('../../docs/PAGES.md', import.meta.url), 'utf8');
before(async () => {
  folder = await mkdtemp(`${tmpdir()}/theme-`);
  const [, own] = docs.match(/```html\n(<!-- wait\.html -->[\s\S]*?)```/) ?? [];
  assert.ok(own, 'the page in docs/PAGES.md');
  await writeFile(`${folder}/wait.html`, own);
  await writeFile(`${folder}/club.css`, '.club { background: #221; color: #fe9; padding: 2rem; }');
  // A page of another origin, which is in the service's CORS list.
  shop = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(example.replaceAll('https://tickets.example', service.base).replace('schedule = 1', `schedule = ${onShop}`));
  });
  shop.listen(0, '127.0.0.1');
  await once(shop, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (shop.address());
  origin = `http://127.0.0.1:${port}`;
  service = await startService({ ONSALE_THEME: folder, ONSALE_CORS_ORIGINS: origin });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await service?.stop();
  shop?.close();
  await rm(folder, { recursive: true });
});

test('a custom waiting page has all functions, and shows user texts as text', async () => {
  const { sale, active, leave } = await createQueue(service, 0, { title: 'Club <script>globalThis.stolen=1</script> & "Friends"' });
  const page = await openPage(browser, service);
  await joinByPage(page, sale);
  await page.locator('.club h1').filter({ hasText: 'Club <script>globalThis.stolen=1</script> & "Friends"' }).waitFor();
  await waitForSlot(page, 'place', '1');
  assert.equal(await page.locator('.club').evaluate((club) => getComputedStyle(club).color), 'rgb(255, 238, 153)');
  await takeScreenshot(page, 'own-page');
  await assertAccessible(page, "a page of one's own");
  await leave(active);
  await waitForState(page, 'active');
  assert.equal(await page.evaluate(() => globalThis.stolen), undefined);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('the example on another site goes from the queue to paid seats', async () => {
  const sale = await openSale(service);
  onShop = sale.id;
  const page = await (await browser.newContext()).newPage();
  /** @type {string[]} */
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.goto(origin);
  await page.locator('input').fill('Kim');
  await page.locator('#join').click();
  await page.locator('#place').filter({ hasText: 'It is your turn.' }).waitFor();
  /** The stream ends with the news that the payment has ended the place. @param {import('playwright-core').Request} request */
  const isStream = (request) => request.url().endsWith('/v1/queue/ticket/stream');
  const ended = Promise.race([page.waitForEvent('requestfinished', isStream), page.waitForEvent('requestfailed', isStream)]);
  await page.locator('#buy').click();
  await ended;
  await page
    .locator('#place')
    .filter({ hasText: /Paid: seats 1, 2 for 300000 points/ })
    .waitFor();
  assert.deepEqual(faults, []);
  assert.ok(example.trimEnd().split('\n').length <= 30, 'the example has 30 lines');
  await page.context().close();
});

/**
 * Measures what a first visit loads: bytes over the wire, headers included.
 * @param {import('playwright-core').Page} page @param {string} path
 */
async function cost(page, path) {
  const client = await page.context().newCDPSession(page);
  await client.send('Network.enable');
  let bytes = 0;
  client.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.goto(path);
  await page.waitForLoadState('networkidle').catch(() => {});
  const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  return { bytes, files: 1 + loaded.filter((name) => name.includes('/assets/')).length };
}

test('a first visit is less than 100 kB over the wire, and is as large as docs/PAGES.md says', async () => {
  const sale = await openSale(service);
  for (const path of ['/', `/concerts/${sale.concert}`, `/schedules/${sale.id}/wait`]) {
    const page = await openPage(browser, service);
    const { bytes, files } = await cost(page, path);
    console.log(`first visit ${path.replace(/\d+/, 'N')}: ${(bytes / 1000).toFixed(1)} kB in ${files} files`);
    assert.ok(bytes < 100_000, `${path}: ${bytes} bytes`);
    const row = new RegExp(`^\\| \`${path.replace(/\d+/, '\\{id\\}')}\` \\| (\\d+) kB in (\\d+) files \\|`, 'm');
    const [, size, count] = docs.match(row) ?? [];
    assert.equal(files, Number(count), `files of ${path} in docs/PAGES.md`);
    assert.ok(Math.abs(bytes / 1000 - Number(size)) < 3, `size of ${path} in docs/PAGES.md`);
    await page.context().close();
  }
});

test('on a slow phone the page is usable soon', async () => {
  const sale = await openSale(service);
  for (const path of ['/', `/schedules/${sale.id}/wait`]) {
    const page = await openPage(browser, service);
    const client = await page.context().newCDPSession(page);
    await client.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    // Chromium's slow 3G: 400 ms latency, 400 kbit/s.
    await client.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 400,
      downloadThroughput: 50_000,
      uploadThroughput: 50_000,
    });
    await page.goto(path, { waitUntil: 'domcontentloaded', timeout: 60_000 });
    await page.waitForFunction(() => document.documentElement.dataset.ready !== undefined, null, { timeout: 60_000 });
    const ms = await page.evaluate(() => Math.round(performance.now()));
    const paint = await page.evaluate(() => Math.round(performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0));
    console.log(`slow phone ${path.replace(/\d+/, 'N')}: first paint ${paint} ms, can be used after ${ms} ms`);
    await page.context().close();
  }
});
