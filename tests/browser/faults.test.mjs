// Bad networks, wrong clocks, stores that do not respond, and hostile texts.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAccessible, openPage, readText, shiftClock, takeScreenshot } from './support/browser.mjs';
import { waitForState, joinByPage, createQueue, waitForSlot, changeQueue } from './support/line.mjs';
import { startProxy } from './support/proxy.mjs';
import { createBuyer, openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';
import { freezeStore } from './support/stores.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

test('during ten minutes without a network the data is marked as old, and the page recovers', async () => {
  const { sale, waiting, leave } = await createQueue(on.service, 2);
  const way = await startProxy(on.service.base);
  const page = await openPage(on.browser, way);
  await page.clock.install();
  await joinByPage(page, sale);
  await waitForSlot(page, 'place', '3');
  way.cut();
  await page.clock.fastForward('00:31');
  await waitForSlot(page, 'connection', 'No connection');
  for (let minute = 0; minute < 10; minute += 1) await page.clock.fastForward('01:00');
  await waitForSlot(page, 'trouble', 'No connection since');
  await waitForSlot(page, 'place', '3');
  await takeScreenshot(page, 'offline', { full: true });
  await assertAccessible(page, 'without a network');
  await leave(waiting[0]);
  way.restore();
  for (let tries = 0; tries < 40 && !(await readText(page.locator('[data-slot="place"]'))).includes('2'); tries += 1) {
    await page.clock.fastForward('00:31');
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await waitForSlot(page, 'place', '2');
  await page.locator('[data-if="trouble"]').waitFor({ state: 'hidden' });
  await page.context().close();
  await way.end();
});

test('if no stream gets through the page polls, and says so', async () => {
  const { sale, waiting, leave } = await createQueue(on.service, 1);
  const page = await openPage(on.browser, on.service);
  await page.route('**/v1/queue/ticket/stream', (route) => route.abort());
  await joinByPage(page, sale);
  await waitForSlot(page, 'connection', 'Connected');
  await waitForSlot(page, 'place', '2');
  await leave(waiting[0]);
  await waitForSlot(page, 'place', '1');
  await page.context().close();
});

test('lost answers while joining create no second place', async () => {
  const { sale } = await createQueue(on.service, 0);
  const page = await openPage(on.browser, on.service);
  let lost = 0;
  await page.route(`**/v1/schedules/${sale.id}/queue`, async (route) => {
    if (lost < 2) {
      lost += 1;
      await route.fetch();
      await route.abort();
    } else await route.continue();
  });
  await joinByPage(page, sale);
  await waitForSlot(page, 'place', '1');
  assert.equal(lost, 2);
  await page.context().close();
});

test('a clock that is wrong by an hour changes no countdown', async () => {
  for (const hours of [1, -1]) {
    const sale = await openSale(on.service, {
      title: `Clock ${hours}`,
      opensIn: 90,
      queue: { queue_opens_at: new Date(Date.now() + 60_000).toISOString() },
    });
    const page = await openPage(on.browser, on.service);
    await shiftClock(page, hours);
    await page.goto(`/concerts/${sale.concert}`);
    await page
      .locator(`[data-schedule="${sale.id}"] [data-part="note"]`)
      .filter({ hasText: /Opens in 1:[0-3]\d/ })
      .waitFor();
    await page.goto(`/schedules/${sale.id}/wait`);
    await waitForSlot(page, 'opens-in', /^0:[0-5]\d$|^1:00$/);
    await page.context().close();
  }
});

test('while a store does not respond no page shows a false place, and all recover', async () => {
  const { sale, waiting, leave } = await createQueue(on.service, 1);
  const page = await openPage(on.browser, on.service);
  await joinByPage(page, sale);
  await waitForSlot(page, 'place', '2');
  // Until the snapshot contains the place.
  await page.waitForTimeout(1500);
  for (const store of /** @type {const} */ (['redis', 'postgres'])) {
    const thaw = freezeStore(on.pid, store);
    try {
      await page.waitForTimeout(1500);
      assert.equal(await page.locator('[data-slot="place"]').textContent(), '2');
      await page.reload();
      await waitForSlot(page, 'place', '2');
      if (store === 'redis') await waitForSlot(page, 'trouble', 'The service has a problem');
      await takeScreenshot(page, `${store}-away`);
    } finally {
      thaw();
    }
    await page.locator('[data-if="trouble"]').waitFor({ state: 'hidden' });
  }
  await leave(waiting[0]);
  await waitForSlot(page, 'place', '1');
  await page.context().close();
});

const HOSTILE = [
  '<script>globalThis.stolen = 1</script>"\'><img src=x onerror="globalThis.stolen=1">{{7*7}}</title></textarea>',
  '\u202Egnp.exe \u2067مرحبا\u2069 ‮desrever',
  `${'a'.repeat(150)}${'가'.repeat(50)}`,
];

// A name as the service stores it: without controls that reorder the text around it.
const storedName = (/** @type {string} */ text) =>
  text
    .slice(0, 100)
    .replaceAll(/[\u202A-\u202E\u2066-\u2069]/g, '')
    .trim();

test('hostile titles, names and messages stay text', async () => {
  for (const [at, title] of HOSTILE.entries()) {
    const text = title.slice(0, 200);
    const { sale } = await createQueue(on.service, 0, { title: text, description: text.repeat(60).slice(0, 10_000) });
    const page = await openPage(on.browser, on.service);
    await page.goto(`/concerts/${sale.concert}`);
    assert.equal((await readText(page.locator('h1'))).trim(), text.trim());
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
    assert.ok(await fits(), 'the concert is not wider than the window');
    await takeScreenshot(page, `hostile-concert-${at}`);
    await assertAccessible(page, 'a hostile concert');
    await joinByPage(page, sale, text.slice(0, 100).trim());
    await changeQueue(on.service, sale, { message: title.repeat(20).slice(0, 1000) });
    await page.locator('[data-if="message"]').first().waitFor();
    assert.equal((await readText(page.locator('#who'))).trim(), storedName(text));
    assert.ok(await fits(), 'the waiting page is not wider than the window');
    await takeScreenshot(page, `hostile-wait-${at}`);
    await assertAccessible(page, 'a hostile line');
    assert.equal(await page.evaluate(() => globalThis.stolen), undefined);
    assert.equal(await page.locator('img[src="x"]').count(), 0);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }
});

test('another site can’t make anyone join or leave, and pages run their own files only', async () => {
  const { sale } = await createQueue(on.service, 0);
  const address = `${on.service.base}/schedules/${sale.id}/wait`;
  const form = (/** @type {Record<string, string>} */ headers) =>
    fetch(address, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: 'do=join&name=Eve',
    });
  /** @type {Record<string, string>[]} */
  const foreign = [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }, {}];
  for (const headers of foreign) assert.equal((await form(headers)).status, 403);
  assert.equal((await form({ origin: on.service.base })).status, 303);
  for (const path of ['/', `/schedules/${sale.id}/wait`, '/continue', '/nothing']) {
    const answer = await fetch(on.service.base + path, { headers: { accept: 'text/html' } });
    const policy = answer.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.doesNotMatch(await answer.text(), /<script(?![^>]*(src=|type="application\/json"))|\son[a-z]+="|\sstyle="/, path);
  }
  const page = await openPage(on.browser, on.service);
  await page.goto('/');
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.stolen = 1';
    document.body.append(script);
  });
  assert.equal(await page.evaluate(() => globalThis.stolen), undefined);
  assert.match(page.faults.join(), /Content Security Policy/);
  await page.context().close();
});

test('the language follows the browser, then the switch, and is remembered', async () => {
  await createBuyer(on.service);
  const page = await openPage(on.browser, on.service, { lang: 'ko' });
  await page.goto('/');
  assert.equal(await page.locator('html').getAttribute('lang'), 'ko');
  await page.locator('a.switch').click();
  await page.waitForFunction(() => document.documentElement.lang === 'en');
  assert.equal(new URL(page.url()).search, '');
  await page.goto('/nothing/here');
  await page.getByRole('heading', { name: 'Page not found' }).waitFor();
  await page.context().close();
});
