// 50,000 seats: the time until the map is shown, and frame times under 200 changes per second, at rest
// and while the map moves. The results are printed; only gross failures fail the test.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { DESKTOP, openPage, PHONE, takeScreenshot } from './support/browser.mjs';
import { waitForMap } from './support/map.mjs';
import { createBuyer, openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

const PRICES = [180_000, 150_000, 120_000, 90_000, 60_000];
const CHANGES_A_SECOND = 200;
const SECONDS = 8;

/** @type {import('./support/service.mjs').Service} */
let service;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {() => Promise<void>} */
let end;
before(async () => ({ service, browser, end } = await startStage()));
after(() => end?.());

/** Fifty sections of a thousand seats. */
const arena = Array.from({ length: 50 }, (_, nth) => ({
  name: `${'ABCDE'[Math.floor(nth / 10)]}${(nth % 10) + 1}`,
  rows: 25,
  seats_per_row: 40,
  seat_price: PRICES[Math.floor(nth / 10)],
}));

/** The 95th percentile of times. @param {number[]} times */
function p95(times) {
  const sorted = [...times].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))];
}

/**
 * Holds and releases seats, `CHANGES_A_SECOND` per second. Returns a function that stops it.
 * @param {import('./support/sale.mjs').Sale} sale @param {import('./support/sale.mjs').Buyer[]} buyers
 */
function changeSeats(sale, buyers) {
  let going = true;
  let changed = 0;
  const each = CHANGES_A_SECOND / buyers.length;
  const one = async (/** @type {import('./support/sale.mjs').Buyer} */ who, /** @type {number} */ nth) => {
    for (let round = nth; going; round += buyers.length) {
      const began = Date.now();
      // Holding and releasing ten seats makes twenty changes. Never the same seats twice.
      const from = (round * 4010) % (sale.seats.length - 10);
      const seat_ids = sale.seats.slice(from, from + 10).map(({ id }) => id);
      const hold = await who.hold({ seat_ids }).catch(() => null);
      if (hold) await who.ask('DELETE', `/v1/holds/${hold.hold_id}`).catch(() => null);
      if (hold) changed += 20;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, (20 / each) * 1000 - (Date.now() - began))));
    }
  };
  const all = buyers.map(one);
  return async () => {
    going = false;
    await Promise.all(all);
    return changed;
  };
}

/**
 * Measures the times between frames while `during` runs.
 * @param {import('playwright-core').Page} page @param {() => Promise<void>} during
 */
async function measureFrames(page, during) {
  await page.evaluate(() => {
    /** @type {number[]} */
    const times = [];
    let last = performance.now();
    const next = (/** @type {number} */ now) => {
      times.push(now - last);
      last = now;
      globalThis.counting = requestAnimationFrame(next);
    };
    globalThis.frameTimes = times;
    globalThis.counting = requestAnimationFrame(next);
  });
  await during();
  return page.evaluate(() => {
    cancelAnimationFrame(globalThis.counting);
    return globalThis.frameTimes.slice(1);
  });
}

test('a map of 50,000 seats is usable', async () => {
  const sale = await openSale(service, { sections: arena, queue: { max_seats_per_user: 100 } });
  assert.equal(sale.seats.length, 50_000);
  const buyers = await Promise.all(Array.from({ length: 10 }, (_, nth) => createBuyer(service, { sale, name: `Rival ${nth}` })));
  for (const [name, size] of /** @type {const} */ ([
    ['desktop', DESKTOP],
    ['phone', PHONE],
  ])) {
    const page = await openPage(browser, service, { size, who: buyers[0] });
    for (const visit of ['first', 'again']) {
      await page.goto(`/schedules/${sale.id}/seats`, { waitUntil: 'commit' });
      await waitForMap(page);
      const first = await page.evaluate(
        () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())))),
      );
      const [layout] = await page.evaluate(() =>
        performance
          .getEntriesByType('resource')
          .filter(({ name }) => name.includes('/seats/layout'))
          .map((entry) => entry.toJSON()),
      );
      const loaded = `the layout of ${layout.encodedBodySize} bytes took ${Math.round(layout.duration)} ms of it`;
      console.log(`${name}: the map is there after ${Math.round(first)} ms (${visit}); ${loaded}`);
    }
    await takeScreenshot(page, `arena-${name}`);
    const stop = changeSeats(sale, buyers.slice(1));
    const still = await measureFrames(page, () => page.waitForTimeout(SECONDS * 1000));
    const moved = await measureFrames(page, async () => {
      const box = await page.locator('#map').boundingBox();
      assert.ok(box);
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      await page.mouse.move(x, y);
      for (let turn = 0; turn < SECONDS * 4; turn++) {
        await page.mouse.wheel(0, turn % 8 < 4 ? -240 : 240);
        await page.mouse.down();
        await page.mouse.move(x + (turn % 2 ? 60 : -60), y + 20, { steps: 4 });
        await page.mouse.up();
        await page.mouse.move(x, y);
        await page.waitForTimeout(60);
      }
    });
    const changed = await stop();
    for (const [what, times] of /** @type {const} */ ([
      ['looked at', still],
      ['moved', moved],
    ])) {
      console.log(`${name}, ${what}: ${times.length} frames, p95 ${p95(times).toFixed(1)} ms, longest ${Math.max(...times).toFixed(1)} ms`);
      assert.ok(times.length > 20, 'frames were drawn');
    }
    console.log(`${name}: ${changed} changes in all`);
    await takeScreenshot(page, `arena-moved-${name}`);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }
});
