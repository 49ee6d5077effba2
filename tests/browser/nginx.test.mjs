// The pages behind nginx, as deploy/nginx configures it: over TLS and HTTP/2, with streams.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage } from './support/browser.mjs';
import { openConsole } from './support/console.mjs';
import { createQueue, joinByPage, waitForSlot, waitForState } from './support/line.mjs';
import { waitForMap } from './support/map.mjs';
import { startNginx } from './support/nginx.mjs';
import { startStage } from './support/stage.mjs';

/** @type {import('./support/stage.mjs').Stage} */
let on;
/** @type {Awaited<ReturnType<typeof startNginx>>} */
let nginx;
before(async () => {
  on = await startStage({ ONSALE_TRUSTED_PROXIES: '127.0.0.1' });
  nginx = await startNginx(on.service);
});
after(async () => {
  await nginx?.stop();
  await on?.end();
});

test('a reader joins, waits by a stream, and gets to the seats in their turn', async () => {
  const { sale, active, waiting, leave } = await createQueue(on.service, 1);
  const page = await openPage(on.browser, nginx);
  await joinByPage(page, sale);
  const protocol = await page.evaluate(() => performance.getEntriesByType('navigation')[0].toJSON().nextHopProtocol);
  assert.equal(protocol, 'h2');
  await waitForState(page, 'waiting');
  await waitForSlot(page, 'place', '2');
  await leave(waiting[0]);
  await waitForSlot(page, 'place', '1');
  await leave(active);
  await waitForState(page, 'active');
  await page.locator('[data-do="seats"]').click();
  await waitForMap(page);
  await page.locator('#turn-clock').filter({ hasText: ':' }).waitFor();
  const cookies = await page.context().cookies();
  assert.ok(
    cookies.every((cookie) => cookie.secure),
    'the service knows that the browser uses TLS',
  );
  assert.deepEqual(page.faults, []);
  // A stream is logged when it ends.
  await page.context().close();
  const ended = () => nginx.log().filter(({ path }) => /^\/v1\/.*\/stream$/.test(path));
  for (const late = Date.now() + 30_000; ended().length < 2; await new Promise((resolve) => setTimeout(resolve, 50))) {
    assert.ok(Date.now() < late, 'no stream of the ticket and of the seats passed nginx');
  }
  assert.ok(ended().every(({ status }) => status === '200'));
  assert.ok(!JSON.stringify(nginx.log()).includes('code='), 'the log has a query string');
});

test('the console works behind nginx', async () => {
  const { sale } = await createQueue(on.service, 1);
  const context = await on.context({ ignoreHTTPSErrors: true });
  const page = await openConsole(context, { ...on.service, url: nginx.url }, `/schedules/${sale.id}`);
  await page.locator('#console-content, main').first().waitFor();
  await context.close();
});
