// A line with people in it, and somebody in a browser at its end.

import { createBuyer, call, openSale } from './sale.mjs';

/** Changes the line's settings, as an operator. */
export const changeQueue = (service, sale, queue) =>
  call(service, 'PATCH', `/v1/admin/schedules/${sale.id}/queue`, { token: service.admin, body: queue });

/** A sale with one slot, which somebody has, and so many more who wait. Their tickets are asked about until `done`, so that nobody is passed over. */
export async function createQueue(service, count, { queue = {}, ...sale } = {}) {
  const made = await openSale(service, { queue: { capacity: 1, admit_per_second: 100, presence_window_seconds: 600, ...queue }, ...sale });
  const active = await createBuyer(service, { sale: made });
  const waiting = [];
  for (let n = 0; n < count; n += 1) waiting.push(await createBuyer(service, { sale: made }));
  const leave = (who) => who.ask('DELETE', '/v1/queue/ticket', { ticket: who.tickets[made.id] });
  return { sale: made, active, waiting, leave };
}

/** Joins by the page, and waits until the place is there. */
export async function joinByPage(page, sale, name = 'Lee') {
  await page.goto(`/schedules/${sale.id}/wait`);
  const field = page.locator('[data-when="join"] input[name="name"]');
  await field.fill(name);
  await field.press('Enter');
  await page.waitForFunction(() => ['waiting', 'draw', 'active'].includes(document.body.dataset.state));
}

/** Waits for the page to be in a state. */
export const waitForState = (page, state, timeout = 30_000) => page.waitForFunction((wanted) => document.body.dataset.state === wanted, state, { timeout });

/** Waits until a slot says something. */
export const waitForSlot = (page, slot, text) => page.locator(`[data-slot="${slot}"]`).filter({ hasText: text }).first().waitFor();
