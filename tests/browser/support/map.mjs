// Finds seats and sections on the screen, by the map's own plan.

import assert from 'node:assert/strict';

import { planVenue } from '../../../web/js/seats/venue.js';
import { fitView, toScreen } from '../../../web/js/seats/view.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('./sale.mjs').Sale} Sale */

/** Locates seats and sections of a map that shows the whole venue. @param {Page} page @param {Sale} sale */
export async function locateMap(page, sale) {
  const venue = planVenue(sale.seats);
  const box = await page.locator('#map').boundingBox();
  assert.ok(box, 'the map is not shown');
  const size = await page.locator('#map').evaluate(({ clientWidth, clientHeight }) => [clientWidth, clientHeight]);
  const view = fitView(venue.bounds, size[0], size[1]);
  /** @returns {[number, number]} */
  const at = (/** @type {number} */ x, /** @type {number} */ y) => {
    const [left, top] = toScreen(view, x, y);
    return [box.x + left, box.y + top];
  };
  return {
    venue,
    view,
    section: (/** @type {number} */ nth) => at(venue.sections[nth].x, venue.sections[nth].y),
    seat: (/** @type {number} */ nth) => at(venue.x[nth], venue.y[nth]),
  };
}

/** Waits until the map is shown. @param {Page} page */
export async function waitForMap(page) {
  await page.locator('#map canvas').first().waitFor();
  await page.locator('#map-loading').waitFor({ state: 'hidden' });
}

/** Opens the map of a sale in the buyer's turn. @param {Page} page @param {Sale} sale */
export async function openMapInTurn(page, sale) {
  await page.goto(`/schedules/${sale.id}/seats`);
  await waitForMap(page);
  await page.locator('#turn-clock').filter({ hasText: ':' }).waitFor();
}
