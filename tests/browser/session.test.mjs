// Sessions: one sign-up at a time, tickets of the session's own user, and signing in again.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { assertAccessible, openPage, takeScreenshot } from './support/browser.mjs';
import { waitForState, createQueue, waitForSlot } from './support/line.mjs';
import { createBuyer, call, openSale } from './support/sale.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
/** @type {import('node:http').Server} */
let signIn;
/** Where the other site's sign-in page redirects to, given `return_to`. @type {(back: string) => string} */
let answer = () => '/';

before(async () => {
  signIn = createServer((request, response) => {
    const back = new URL(request.url ?? '/', 'http://127.0.0.1').searchParams.get('return_to') ?? '';
    response.writeHead(302, { location: answer(back) }).end();
  });
  signIn.listen(0, '127.0.0.1');
  await once(signIn, 'listening');
  on = await startStage();
});
after(async () => {
  await on.end();
  signIn.close();
});

/** @param {import('playwright-core').Page} page @param {string} key */
const readStored = (page, key) => page.evaluate((name) => JSON.parse(localStorage.getItem(name) ?? 'null'), key);

/** Reads a ticket's user id. @param {string} token */
const readTicketUser = (token) => JSON.parse(String(Buffer.from(token.split('.')[1], 'base64url'))).sub;

/** Delays sign-ups in a context, and counts them. @param {import('playwright-core').BrowserContext} context */
async function slowDownSignUps(context) {
  const seen = { count: 0 };
  await context.route('**/v1/users', async (route) => {
    seen.count += 1;
    await new Promise((resolve) => setTimeout(resolve, 600));
    await route.continue();
  });
  return seen;
}

/**
 * Submits the join form in several tabs at once, twice in each.
 * @param {import('playwright-core').BrowserContext} context @param {import('./support/sale.mjs').Sale} sale @param {number} count
 */
async function submitInTabs(context, sale, count) {
  const pages = [];
  for (let at = 0; at < count; at += 1) {
    const page = await context.newPage();
    await page.goto(`/schedules/${sale.id}/wait`);
    await waitForState(page, 'join');
    await page.locator('[data-when="join"] input[name="name"]').fill(`Kim ${at}`);
    pages.push(page);
  }
  const press = (/** @type {import('playwright-core').Page} */ page) =>
    page.evaluate(() => {
      const form = /** @type {HTMLFormElement} */ (document.querySelector('[data-when="join"] form'));
      form.requestSubmit();
      const button = /** @type {HTMLButtonElement} */ (form.querySelector('button[type="submit"]'));
      const busy = button.disabled;
      form.requestSubmit();
      return busy;
    });
  const busy = await Promise.all(pages.map(press));
  assert.deepEqual(
    busy,
    pages.map(() => true),
    'the button is busy at once',
  );
  return pages;
}

for (const locks of [true, false]) {
  test(`joining in two tabs at once makes one user with one place, ${locks ? 'with' : 'without'} locks`, async () => {
    const { sale } = await createQueue(on.service, 1);
    const context = await on.context();
    if (!locks) await context.addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
    const seen = await slowDownSignUps(context);
    const pages = await submitInTabs(context, sale, 2);
    for (const page of pages) await waitForSlot(page, 'place', '2');
    assert.equal(seen.count, 1, 'one sign-up');
    const session = await readStored(pages[0], 'onsale.session');
    const { user, token } = await readStored(pages[0], `onsale.ticket.${sale.id}`);
    assert.deepEqual([user, readTicketUser(token)], [String(session.id), String(session.id)]);
    await context.close();
  });
}

test('another user’s ticket is replaced by one of the signed-in user', async () => {
  const sale = await openSale(on.service);
  const [one, other] = [await createBuyer(on.service, { sale }), await createBuyer(on.service, { sale, name: 'Lee' })];
  const page = await openPage(on.browser, on.service, { who: { ...one, tickets: other.tickets } });
  await page.goto(`/schedules/${sale.id}/wait`);
  await waitForState(page, 'active');
  const { token } = await readStored(page, `onsale.ticket.${sale.id}`);
  assert.equal(readTicketUser(token), String(one.session.id));
  await call(on.service, 'POST', `/v1/schedules/${sale.id}/reservations`, {
    token: one.session.token,
    ticket: token,
    key: 'own-place',
    body: { quantity: 1 },
  });
  // Another user signs in, in another tab: their place is shown. The first user gets the first place back.
  const second = await page.context().newPage();
  await second.goto('/me');
  const become = (/** @type {import('./support/sale.mjs').Buyer['session']} */ session) =>
    second.evaluate((value) => localStorage.setItem('onsale.session', JSON.stringify(value)), session);
  for (const who of [other, one]) {
    await become(who.session);
    await page.waitForFunction(
      ([key, id]) => JSON.parse(localStorage.getItem(String(key)) ?? 'null')?.user === id,
      [`onsale.ticket.${sale.id}`, String(who.session.id)],
    );
    await waitForState(page, 'active');
  }
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('after the session has ended the page says so, the place stays, and a recovery code signs the user in again', async () => {
  const { sale } = await createQueue(on.service, 1);
  const who = await createBuyer(on.service, {});
  who.tickets[sale.id] = (await who.ask('POST', `/v1/schedules/${sale.id}/queue`)).queue_token;
  const { code } = await who.ask('POST', '/v1/users/me/recovery-code');
  const past = { ...who.session, token: `${who.session.token}x`, expires_at: new Date(Date.now() - 120_000).toISOString() };
  for (const lang of /** @type {const} */ (['en', 'ko'])) {
    const page = await openPage(on.browser, on.service, { lang, who: { session: past, tickets: who.tickets } });
    await page.goto(`/schedules/${sale.id}/wait`);
    await waitForSlot(page, 'place', '2');
    await page.locator('#session-text').filter({ hasText: 'Kim' }).waitFor();
    await assertAccessible(page, 'the sign-in has ended');
    await takeScreenshot(page, `session-ended-${lang}`);
    await page.locator('#session-go').click();
    await page.locator('dialog input').fill('0000-0000-0000-0000-0000-0000');
    await page.keyboard.press('Enter');
    await page.locator('dialog p').nth(1).waitFor();
    await page.locator('dialog input').fill(code.toLowerCase());
    await page.keyboard.press('Enter');
    await page.locator('#session').waitFor({ state: 'hidden' });
    const session = await readStored(page, 'onsale.session');
    assert.equal(session.id, who.session.id);
    assert.equal((await call(on.service, 'GET', '/v1/users/me', { token: session.token })).id, who.session.id);
    await waitForSlot(page, 'place', '2');
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }
});

test('a token is renewed while the page is open, in one tab, long before it expires', async () => {
  const who = await createBuyer(on.service, {});
  const soon = { ...who.session, expires_at: new Date(Date.now() + 3_600_000).toISOString() };
  const page = await openPage(on.browser, on.service, { who: { session: soon, tickets: {} } });
  await page.goto('/me');
  await page.waitForFunction((before) => {
    const session = JSON.parse(localStorage.getItem('onsale.session') ?? 'null');
    return Date.parse(session.expires_at) > Date.now() + 20 * 3_600_000 && session.id === before.id;
  }, who.session);
  assert.equal(await page.locator('#session').isHidden(), true);
  await page.context().close();
});

test('a recovery code is offered after joining and in "My tickets", and works in another browser', async () => {
  const sale = await openSale(on.service);
  const page = await openPage(on.browser, on.service);
  await page.goto(`/schedules/${sale.id}/wait`);
  await page.locator('[data-when="join"] input[name="name"]').fill('Kim');
  await page.locator('[data-when="join"] form button[type="submit"]').click();
  await waitForState(page, 'active');
  await page.locator('[data-do="recovery"]').click();
  const code = await page.locator('dialog input').inputValue();
  assert.match(code, /^([0-9A-Z]{4}-){5}[0-9A-Z]{4}$/);
  await assertAccessible(page, 'a recovery code');
  await takeScreenshot(page, 'recovery-code');
  await page.locator('dialog [value="yes"]').click();
  await page.locator('[data-if="recovery"]').waitFor({ state: 'hidden' });
  const session = await readStored(page, 'onsale.session');
  await page.goto('/me');
  await page.locator('#recovery').click();
  await page.locator('dialog h2').filter({ hasText: 'Create a new recovery code?' }).waitFor();
  await page.locator('dialog [value="no"]').click();

  const elsewhere = await openPage(on.browser, on.service);
  await elsewhere.goto('/me');
  await elsewhere.locator('#me-recover').click();
  await elsewhere.locator('dialog input').fill(code);
  await elsewhere.keyboard.press('Enter');
  await elsewhere.locator('#mine').waitFor();
  assert.equal((await readStored(elsewhere, 'onsale.session')).id, session.id);
  for (const one of [page, elsewhere]) {
    assert.deepEqual(one.faults, []);
    await one.context().close();
  }
});

test('buyers who sign in on another site come back to the page that they left', async () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (signIn.address());
  const there = await startStage({ ONSALE_SIGN_IN_URL: `http://127.0.0.1:${port}/sign-in` });
  try {
    const sale = await openSale(there.service);
    const who = await createBuyer(there.service, {});
    answer = (back) => `${back}#token=${who.session.token}`;
    const page = await openPage(there.browser, there.service);
    await page.goto(`/schedules/${sale.id}/wait`);
    await page.locator('#signin').click();
    await page.locator('#who').filter({ hasText: 'Kim' }).waitFor();
    assert.equal(new URL(page.url()).pathname, `/schedules/${sale.id}/wait`);
    assert.equal(new URL(page.url()).hash, '', 'the token is not in the history');
    const session = await readStored(page, 'onsale.session');
    assert.equal(session.id, who.session.id);
    assert.ok(Date.parse(session.expires_at) > Date.now(), 'read from the token');
    await page.context().close();
  } finally {
    await there.end();
  }
});
