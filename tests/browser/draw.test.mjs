// A draw: the commitment before it, the place after it, and the check in the browser.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertAccessible, openPage, takeScreenshot } from './support/browser.mjs';
import { waitForState, joinByPage, waitForSlot } from './support/line.mjs';
import { createBuyer, openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
before(async () => {
  on = await startStage();
});
after(() => on.end());

test('a draw is explained, run, and checked by an entrant', async () => {
  const opensIn = 14;
  const sale = await openSale(on.service, {
    title: 'The Draw',
    opensIn,
    queue: { entry_order: 'DRAW', capacity: 1, queue_opens_at: new Date(Date.now() - 60_000).toISOString() },
  });
  for (let n = 0; n < 5; n += 1) await createBuyer(on.service, { sale });
  const page = await openPage(on.browser, on.service);
  await joinByPage(page, sale);
  await waitForState(page, 'draw');
  await waitForSlot(page, 'draw-in', /^0:\d\d$/);
  await page.locator('.draw summary').click();
  await waitForSlot(page, 'commitment', /^[0-9a-f]{64}$/);
  await waitForSlot(page, 'ticket-id', /^[0-9a-f-]{36}$/);
  const commitment = await page.locator('[data-slot="commitment"]').textContent();
  await takeScreenshot(page, 'draw-before', { full: true });
  await assertAccessible(page, 'before the draw');

  await page.waitForFunction(() => ['waiting', 'active'].includes(document.body.dataset.state ?? ''), null, { timeout: 60_000 });
  await waitForSlot(page, 'secret', /^[0-9a-f]{64}$/);
  assert.equal(await page.locator('[data-slot="commitment"]').textContent(), commitment);
  await page.locator('[data-do="check"]').click();
  await page.locator('.checks li').nth(4).waitFor();
  const said = await page.locator('.checks li').allTextContents();
  assert.deepEqual(
    said.filter((text) => !text.startsWith('✓')),
    [],
  );
  assert.match(said.join('\n'), /The list has 6 tickets and no duplicates/);
  assert.match(said.join('\n'), /your place in the draw is [1-6] of 6/);
  await page.locator('.checks').scrollIntoViewIfNeeded();
  await takeScreenshot(page, 'draw-checked', { full: true });
  await assertAccessible(page, 'after the check');

  // A manipulated draw fails the check.
  const forged = await page.evaluate(async () => {
    const modules = performance.getEntriesByType('resource').map(({ name }) => name);
    /** @type {typeof import('../../web/js/wait/draw.js')} */
    const { verifyDraw } = await import(modules.find((name) => name.endsWith('/js/wait/draw.js')) ?? '');
    const secret = '11'.repeat(32);
    const hash = await crypto.subtle.digest(
      'SHA-256',
      Uint8Array.from({ length: 32 }, () => 0x11),
    );
    const hex = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const list = ['a', 'b', 'c'];
    /** @param {Parameters<typeof verifyDraw>[0]} draw @param {string[]} entrants @param {Partial<Parameters<typeof verifyDraw>[2]>} mine */
    const run = async (draw, entrants, mine) =>
      (await verifyDraw(draw, entrants, { ticket: 'b', noted: null, firstPlace: 1, ...mine })).checks.filter(({ good }) => !good).length;
    return [
      await run({ commitment: hex, secret }, list, {}),
      await run({ commitment: hex.replace(/./, (first) => (first === '0' ? '1' : '0')), secret }, list, {}),
      await run({ commitment: hex, secret }, [...list, 'a'], {}),
      await run({ commitment: hex, secret, entrants: 4 }, list, {}),
      await run({ commitment: hex, secret }, list, { ticket: 'd' }),
      await run({ commitment: hex, secret }, list, { firstPlace: 4 }),
      await run({ commitment: hex, secret }, list, { noted: { commitment: 'other', at: 0 } }),
    ];
  });
  assert.deepEqual(forged, [0, 1, 1, 1, 1, 1, 1]);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('the check agrees with the steps of docs/DRAW.md', async () => {
  const page = await openPage(on.browser, on.service);
  const sale = await openSale(on.service, {
    title: 'Known',
    opensIn: 3600,
    queue: { entry_order: 'DRAW', queue_opens_at: new Date(Date.now() - 60_000).toISOString() },
  });
  await joinByPage(page, sale);
  const { createHmac, createHash, randomUUID } = await import('node:crypto');
  const secret = '0123456789abcdef'.repeat(4);
  const entrants = Array.from({ length: 50 }, () => randomUUID());
  const digest = (/** @type {string} */ id) => createHmac('sha256', Buffer.from(secret, 'hex')).update(id).digest('hex');
  const drawn = [...entrants].sort((one, other) => (digest(one) < digest(other) ? -1 : 1));
  const commitment = createHash('sha256').update(Buffer.from(secret, 'hex')).digest('hex');
  const places = await page.evaluate(
    async ({ draw, entrants }) => {
      const modules = performance.getEntriesByType('resource').map(({ name }) => name);
      /** @type {typeof import('../../web/js/wait/draw.js')} */
      const { verifyDraw } = await import(modules.find((name) => name.endsWith('/js/wait/draw.js')) ?? '');
      const all = [];
      for (const ticket of entrants) all.push((await verifyDraw(draw, entrants, { ticket, noted: null, firstPlace: null })).place);
      return all;
    },
    { draw: { secret, commitment, entrants: 50 }, entrants },
  );
  assert.deepEqual(
    places,
    entrants.map((ticket) => drawn.indexOf(ticket) + 1),
  );
  await page.context().close();
});
