// Finds seats and sections on the screen, by the map's own plan.

import { planVenue } from '../../../web/js/seats/venue.js';
import { fitView, toScreen } from '../../../web/js/seats/view.js';

/** Locates seats and sections of a map that shows the whole venue. */
export async function locateMap(page, sale) {
  const venue = planVenue(sale.seats);
  const box = await page.locator('#map').boundingBox();
  const size = await page.locator('#map').evaluate(({ clientWidth, clientHeight }) => [clientWidth, clientHeight]);
  const view = fitView(venue.bounds, ...size);
  const at = (x, y) => {
    const [left, top] = toScreen(view, x, y);
    return [box.x + left, box.y + top];
  };
  return {
    venue,
    view,
    section: (nth) => at(venue.sections[nth].x, venue.sections[nth].y),
    seat: (nth) => at(venue.x[nth], venue.y[nth]),
  };
}

/** Waits until the map is shown. */
export async function waitForMap(page) {
  await page.locator('#map canvas').first().waitFor();
  await page.locator('#map-loading').waitFor({ state: 'hidden' });
}

/** Opens the map of a sale in the buyer's turn. */
export async function openMapInTurn(page, sale) {
  await page.goto(`/schedules/${sale.id}/seats`);
  await waitForMap(page);
  await page.locator('#turn-clock').filter({ hasText: ':' }).waitFor();
}
