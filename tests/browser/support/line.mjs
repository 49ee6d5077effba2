// A queue with people in it, and a reader in a browser at its end.

import { createBuyer, call, openSale } from './sale.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('./service.mjs').Service} Service */
/** @typedef {import('./sale.mjs').Sale} Sale */
/** @typedef {import('./sale.mjs').Buyer} Buyer */

/**
 * Changes the queue's settings as the operator.
 * @param {Service} service @param {Sale} sale @param {import('./sale.mjs').QueueChange} queue
 */
export const changeQueue = (service, sale, queue) =>
  call(service, 'PATCH', `/v1/admin/schedules/${sale.id}/queue`, { token: service.admin, body: queue });

/**
 * Creates a sale with one active buyer, who has the only slot, and `count` waiting ones. The presence window
 * is long, so that nobody is passed over.
 * @param {Service} service @param {number} count @param {import('./sale.mjs').SaleChoices} [choices]
 */
export async function createQueue(service, count, { queue = {}, ...sale } = {}) {
  const made = await openSale(service, { queue: { capacity: 1, admit_per_second: 100, presence_window_seconds: 600, ...queue }, ...sale });
  const active = await createBuyer(service, { sale: made });
  const waiting = [];
  for (let n = 0; n < count; n += 1) waiting.push(await createBuyer(service, { sale: made }));
  const leave = (/** @type {Buyer} */ who) => who.ask('DELETE', '/v1/queue/ticket', { ticket: who.tickets[made.id] });
  return { sale: made, active, waiting, leave };
}

/** Joins on the page and waits until it shows the place. @param {Page} page @param {Sale} sale @param {string} [name] */
export async function joinByPage(page, sale, name = 'Lee') {
  await page.goto(`/schedules/${sale.id}/wait`);
  const field = page.locator('[data-when="join"] input[name="name"]');
  await field.fill(name);
  await field.press('Enter');
  await page.waitForFunction(() => ['waiting', 'draw', 'active'].includes(document.body.dataset.state ?? ''));
}

/** Waits until the page is in a state. @param {Page} page @param {string} state @param {number} [timeout] in ms */
export const waitForState = (page, state, timeout = 30_000) =>
  page.waitForFunction((wanted) => document.body.dataset.state === wanted, state, { timeout });

/** Waits until a slot contains a text. @param {Page} page @param {string} slot @param {string | RegExp} text */
export const waitForSlot = (page, slot, text) => page.locator(`[data-slot="${slot}"]`).filter({ hasText: text }).first().waitFor();
