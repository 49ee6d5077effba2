// Where on the screen a seat or a section of the map is, by the map's own plan.

import { plan } from '../../../web/js/seats/venue.js';
import { fit, toScreen } from '../../../web/js/seats/view.js';

/** The map of a sale as it is shown at first: all of it. */
export async function mapOf(page, sale) {
  const venue = plan(sale.seats);
  const box = await page.locator('#map').boundingBox();
  const inside = await page.locator('#map').evaluate(({ clientWidth, clientHeight }) => [clientWidth, clientHeight]);
  const view = fit(venue.bounds, ...inside);
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

/** Waits until the map is there, with states. */
export async function ready(page) {
  await page.locator('#map canvas').first().waitFor();
  await page.locator('#map-loading').waitFor({ state: 'hidden' });
}

/** Opens the map of a sale as somebody whose turn it is. */
export async function choosing(page, sale) {
  await page.goto(`/schedules/${sale.id}/seats`);
  await ready(page);
  await page.locator('#turn-clock').filter({ hasText: ':' }).waitFor();
}
