// The kit against the example shop: a correct shop passes, and each fault breaks the limit that watches for it.
// Needs k6: K6, or k6 in PATH.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { FAULTS } from '../examples/shop/sale.mjs';
import { broken, runK6, withShop } from './k6.mjs';

/** @typedef {import('./k6.mjs').Settings} Settings */

// A rush of a few seconds.
const SHORT = { BUYERS: '60', SEATS: '40', CAPACITY: '20', ADMIT_PER_SECOND: '20', ARRIVE_WITHIN: '3', HOSTILE: '0' };
// Buyers who come fast, wait long, and are watched.
const QUEUE = { ...SHORT, BUYERS: '100', CAPACITY: '5', ADMIT_PER_SECOND: '10', OPENS_IN: '4' };
const GRABBERS = { ...SHORT, HOSTILE: '0.3', HOSTILE_KINDS: 'grabber' };
const FORGERS = { ...SHORT, HOSTILE: '0.2', HOSTILE_KINDS: 'forger' };

/** For each fault of the example shop: the limit that it breaks, and the run that shows it. @type {Record<string, [string, string, Settings]>} */
const CASES = {
  oversell: ['oversold', 'contention', { BUYERS: '80' }],
  jump: ['position_went_back', 'rush', QUEUE],
  lose: ['place_lost', 'rush', QUEUE],
  overfill: ['over_capacity', 'rush', QUEUE],
  forget: ['paid_seats_missing', 'rush', SHORT],
  refuse: ['refused_while_free', 'rush', { ...SHORT, SEATS: '200' }],
  miscount: ['sums_differ', 'rush', SHORT],
  trust: ['forgery_accepted', 'rush', FORGERS],
  generous: ['over_limit', 'rush', GRABBERS],
};

describe('a correct shop', { concurrency: 3 }, () => {
  it('passes one buyer', () =>
    withShop('', async ({ settings }) => {
      const { code, output, report } = await runK6('once', settings);
      assert.equal(code, 0, output);
      assert.equal(report?.counts.seats_paid, 2);
    }));

  for (const scenario of ['rush', 'contention', 'checkout', 'poll']) {
    it(`passes ${scenario} with its usual crowd`, () =>
      withShop('', async ({ settings }) => {
        const { code, output, report } = await runK6(scenario, { ...settings, PROFILE: 'smoke' });
        assert.equal(code, 0, output);
        assert.equal(report?.passed, true);
      }));
  }

  it('passes hostile buyers, and the report says what they got', () =>
    withShop('', async ({ settings }) => {
      const { code, output, report } = await runK6('rush', { ...settings, ...SHORT, HOSTILE: '0.5' });
      assert.equal(code, 0, output);
      const kinds = report?.crowd.map(({ kind }) => kind);
      assert.deepEqual(kinds, ['ordinary', 'hasty', 'rejoiner', 'hoarder', 'forger', 'grabber']);
      const row = (/** @type {string} */ kind) => report?.crowd.find((it) => it.kind === kind);
      assert.ok(Number(row('hasty')?.calls) > Number(row('hasty')?.visits) * 5, output);
      assert.equal(row('hoarder')?.bought, 0);
      assert.equal(report?.settings.hostile, 0.5);
    }));

  it('passes a run of two runners, whose sums are added', () =>
    withShop('', async ({ settings }) => {
      const { books, runners } = await distributed(settings);
      assert.equal(books.code, 0, books.output);
      const paid = runners.map(({ report }) => Number(report?.counts.seats_paid));
      assert.ok(
        paid.every((seats) => seats > 0),
        'both runners had buyers',
      );
      assert.equal(books.report?.counts.seats_paid, paid[0] + paid[1]);
      assert.equal(books.report?.counts.seats_sold, paid[0] + paid[1]);
    }));
});

describe('a faulty shop', { concurrency: 3 }, () => {
  it('has a case for each fault', () => assert.deepEqual(Object.keys(CASES), Object.keys(FAULTS)));

  for (const [fault, [limit, scenario, changes]] of Object.entries(CASES)) {
    it(`breaks ${limit} if it has the fault "${fault}"`, () =>
      withShop(fault, async ({ settings }) => {
        const { code, output, report } = await runK6(scenario, { ...settings, ...changes });
        assert.equal(code, 99, output);
        assert.ok(broken(report).includes(limit), output);
      }));
  }

  it('is found in the sums of two runners, where each alone saw nothing', () =>
    withShop('forget', async ({ settings }) => {
      // With seats for everybody no seat is refused, and only the sums show the fault.
      const { books, runners } = await distributed({ ...settings, SEATS: '400' });
      for (const { code, output } of runners) assert.equal(code, 0, output);
      assert.equal(books.code, 99, books.output);
      assert.ok(broken(books.report).includes('paid_seats_missing'), books.output);
    }));
});

describe('wrong settings', { concurrency: 3 }, () => {
  /** @type {[string, Settings, RegExp][]} */
  const cases = [
    ['an unknown profile', { PROFILE: 'huge' }, /PROFILE is "huge"/],
    ['an unknown shop', { SHOP: 'mine' }, /SHOP is "mine"/],
    ['an unknown kind of buyer', { HOSTILE_KINDS: 'polite' }, /HOSTILE_KINDS has "polite"/],
    ['a share above one', { HOSTILE: '2' }, /HOSTILE is "2"/],
    ['a number that is none', { BUYERS: 'many' }, /BUYERS is "many"/],
    ['an unknown phase', { PHASE: 'later' }, /PHASE is "later"/],
    ['onsale without a secret', { SHOP: 'onsale' }, /Set ONSALE_JWT_SECRET/],
  ];
  for (const [name, changes, message] of cases) {
    it(`${name} is refused by name`, () =>
      withShop('', async ({ settings }) => {
        const { code, output } = await runK6('rush', { ...settings, ...changes });
        assert.notEqual(code, 0);
        assert.match(output, message);
      }));
  }
});

it('the page of a report fetches nothing, and has the settings', () =>
  withShop('', async ({ settings }) => {
    const { report, output } = await runK6('once', settings);
    const page = await readFile(/report: (\S+\.html)/.exec(output)?.[1] ?? '', 'utf8');
    assert.doesNotMatch(page, /<(script|link|img|iframe)|url\(|@import/);
    assert.match(page, new RegExp(String(report?.settings.address)));
    assert.doesNotMatch(page + JSON.stringify(report), new RegExp(settings.SHOP_KEY));
  }));

/** Runs the three phases of a run with two runners, which run at the same time. @param {Settings} shop */
async function distributed(shop) {
  const settings = { ...SHORT, ...shop, RUNNERS: '2' };
  const prepared = await runK6('rush', { ...settings, PHASE: 'prepare' });
  assert.equal(prepared.code, 0, prepared.output);
  const segments = ['0:1/2', '1/2:1'];
  const runners = await Promise.all(
    segments.map((segment) =>
      runK6('rush', { ...settings, PHASE: 'crowd' }, ['--execution-segment', segment, '--execution-segment-sequence', '0,1/2,1']),
    ),
  );
  const books = await runK6('rush', { ...settings, PHASE: 'books' });
  return { runners, books };
}
