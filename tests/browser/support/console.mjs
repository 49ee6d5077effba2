/** Helpers for the operator's console. */

/** What the console's tests use of a service. @typedef {{ url: string, admin: string }} Service */

/**
 * Opens a part of the console, signed in by a token in the address.
 * @param {import('playwright-core').BrowserContext} context
 * @param {Service} service
 * @param {string} [part] such as `/schedules/7`
 */
export async function openConsole(context, service, part = '/') {
  const page = await context.newPage();
  await page.goto(`${service.url}/admin#token=${service.admin}`);
  await page.locator('#console-nav').waitFor();
  if (part !== '/') await openPart(page, part);
  return page;
}

/** Goes to a part and waits until it is loaded. @param {import('playwright-core').Page} page @param {string} part */
export async function openPart(page, part) {
  await page.evaluate((to) => {
    location.hash = `#${to}`;
  }, part);
  await page.locator(`#console[data-part="${part}"]`).waitFor();
}

/**
 * Answers the open dialog and waits until it is gone. Another one may follow it.
 * @param {import('playwright-core').Page} page @param {'yes' | 'no'} answer
 */
export async function answerDialog(page, answer) {
  const title = await page.locator('dialog[open]').getAttribute('aria-labelledby');
  const dialog = page.locator(`dialog[aria-labelledby="${title}"]`);
  await dialog.locator(`button[value="${answer}"]`).click();
  await dialog.waitFor({ state: 'detached' });
}

/**
 * Calls the API as the operator.
 * @param {Service} service @param {string} method @param {string} path @param {any} [body]
 * @param {string} [key] the idempotency key
 */
export async function callAsOperator(service, method, path, body, key) {
  /** @type {Record<string, string>} */
  const headers = { authorization: `Bearer ${service.admin}`, 'content-type': 'application/json' };
  if (key) headers['idempotency-key'] = key;
  const answer = await fetch(service.url + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text.startsWith('{') ? JSON.parse(text) : text;
}

/**
 * Creates an open sale as the operator.
 * @param {Service} service
 * @param {{ title?: string, sections?: any[], queue?: any, opensInSeconds?: number }} [how]
 * @returns {Promise<{ concert: number, schedule: number }>}
 */
export async function makeSale(service, { title = 'Night', sections, queue = {}, opensInSeconds = -60 } = {}) {
  const at = (/** @type {number} */ seconds) => new Date(Date.now() + seconds * 1000).toISOString();
  const concert = await callAsOperator(service, 'POST', '/v1/admin/concerts', { title });
  const times = { reservation_available_at: at(opensInSeconds), deadline_at: at(86_400), concert_at: at(90_000) };
  const schedule = await callAsOperator(service, 'POST', `/v1/admin/concerts/${concert.id}/schedules`, { ...times, queue });
  const all = sections ?? [
    { name: 'Floor', rows: 5, seats_per_row: 10, seat_price: 120_000 },
    { name: 'Balcony', rows: 3, seats_per_row: 12, seat_price: 70_000 },
  ];
  if (all.length > 0) await callAsOperator(service, 'POST', `/v1/admin/schedules/${schedule.id}/seats`, { sections: all });
  return { concert: concert.id, schedule: schedule.id };
}

/** Refunds every payment of a schedule, and waits until that is done. @param {Service} service @param {number} schedule */
export async function refundSale(service, schedule) {
  const body = { seats: 'FREE', reason: 'The concert is cancelled.' };
  let job = await callAsOperator(service, 'POST', `/v1/admin/schedules/${schedule}/refund`, body, `refund-${schedule}`);
  while (job.state !== 'DONE') {
    await new Promise((resolve) => setTimeout(resolve, 100));
    job = await callAsOperator(service, 'GET', `/v1/admin/jobs/${job.id}`);
  }
  return job;
}
