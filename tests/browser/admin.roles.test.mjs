/** What each role sees of the console: all that it may do, and nothing that the service would refuse. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openConsole, openPart } from './support/console.mjs';
import { consoleParts, fillConsole } from './support/parts.mjs';
import { ROLES } from './support/service.mjs';
import { startStaffedStage } from './support/stage.mjs';

/** @typedef {typeof ROLES[number]} Role */

/** @type {Awaited<ReturnType<typeof startStaffedStage>>} */
let on;
/** @type {import('./support/parts.mjs').Filled} */
let sale;
before(async () => {
  on = await startStaffedStage();
  sale = await fillConsole(on.service);
});
after(() => on.end());

/** The parts that need a role, by name. @type {Record<string, Role>} */
const LEAST = {
  'concert-new': 'admin',
  'schedule-new': 'admin',
  venue: 'admin',
  guests: 'box_office',
  'box-office': 'box_office',
  buyer: 'box_office',
  seat: 'box_office',
  people: 'admin',
  person: 'admin',
};

/** What only some roles see in a part that all may open: the part, a selector, and the least role. @type {[string, string, Role][]} */
const ACTIONS = [
  ['overview', '.part-head a[href="#/concerts/new"]', 'admin'],
  ['concert', '.part-head a[href$="/schedules/new"]', 'admin'],
  ['concert', '.adm-form', 'operator'],
  ['live', '.controls', 'operator'],
  ['live', '.live-bar .quick', 'operator'],
  ['seats', '.seat-bar', 'operator'],
  ['seats', 'button.adm-row-name', 'operator'],
  ['settings', 'form.adm-form', 'operator'],
  ['forecast', 'form >> text=Simulate', 'operator'],
  ['forecast', 'form >> text=Plan', 'viewer'],
  ['rehearsal', 'form', 'operator'],
  ['report', '.exports', 'box_office'],
  ['report', '.report-actions', 'viewer'],
  ['overview', '#console-nav a[href="#/box-office"]', 'box_office'],
  ['overview', '#console-nav a[href="#/people"]', 'admin'],
  ['live', '.tabs a[href$="/guests"]', 'box_office'],
  ['live', '.tabs a[href$="/venue"]', 'admin'],
];

/** @param {Role} role @param {Role} least */
const reaches = (role, least) => ROLES.indexOf(role) >= ROLES.indexOf(least);

for (const role of ROLES) {
  test(`the console of the role ${role} has what it may do, and asks the service for nothing else`, async () => {
    const context = await on.context();
    const page = await openConsole(context, { ...on.service, admin: on.service.tokens[role] });
    const refused = /** @type {string[]} */ ([]);
    page.on('response', (response) => response.status() === 403 && refused.push(response.url()));
    const wrong = /** @type {string[]} */ ([]);
    for (const [name, address, there] of consoleParts(sale)) {
      await openPart(page, address);
      if (!reaches(role, LEAST[name] ?? 'viewer')) {
        await page.getByText('needs an access token with the role').waitFor();
        continue;
      }
      await page.locator(there).first().waitFor();
      for (const [part, selector, least] of ACTIONS.filter(([of]) => of === name)) {
        const isThere = (await page.locator(selector).count()) > 0;
        if (isThere !== reaches(role, least)) wrong.push(`${part}: ${selector} is ${isThere ? '' : 'not '}there`);
      }
      await on.assertAccessible(page, `${role}: ${name}`);
    }
    assert.deepEqual([wrong, refused], [[], []]);
    await openPart(page, `/schedules/${sale.schedule}`);
    await page.locator('.is-live').waitFor();
    await on.takeScreenshot(page, `role-${role}`, { full: true });
    await context.close();
  });
}

test('a role that may see what a refund would do, but not order it, has no form for it', async () => {
  for (const [role, orders] of /** @type {[Role, boolean][]} */ ([
    ['box_office', false],
    ['operator', true],
  ])) {
    const context = await on.context();
    const page = await openConsole(context, { ...on.service, admin: on.service.tokens[role] }, `/schedules/${sale.schedule}/report`);
    await page.getByRole('button', { name: 'Show what would happen' }).click();
    await page.locator('.refund .figures').waitFor();
    assert.equal((await page.locator('.refund form').count()) > 0, orders, role);
    await context.close();
  }
});
