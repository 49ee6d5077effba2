// The series of the console's charts: recorded values, live ones after them, and no seam between.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SaleSeries } from '../../../web/js/admin/series.js';

/** @import * as Api from '../../../web/js/onsale/types.d.ts' */

const BEGIN = 1_796_000_000;
const at = (/** @type {number} */ seconds) => new Date((BEGIN + seconds) * 1000).toISOString();

/** A live answer. @param {number} seconds @param {number} waiting @param {number} joined @returns {Api.Stats} */
const stats = (seconds, waiting, joined) =>
  /** @type {Api.Stats} */ (
    /** @type {unknown} */ ({
      server_time: at(seconds),
      line_as_of: at(seconds),
      waiting,
      returned: 0,
      active: 5,
      parked: 0,
      joined_total: joined,
      admitted_total: 0,
      in_force: { capacity: 10 },
      seats: { held: 1, sold: 2 },
      revenue: 3,
      rejections: 0,
      all_answers: [],
    })
  );

const NAMES = [
  'active',
  'capacity',
  'joins_per_second',
  'admissions_per_second',
  'ends_per_second',
  'held',
  'sold',
  'sales_per_second',
  'revenue',
  'refusals_per_second',
  'join_p99_ms',
  'poll_p99_ms',
  'hold_p99_ms',
  'pay_p99_ms',
  'errors_per_second',
  'limited_per_second',
];

/**
 * A recorded history: waiting entries from `from` seconds on.
 * @param {number} from @param {number} step @param {(number | null)[]} waiting @param {unknown[]} [markers]
 */
function history(from, step, waiting, markers = []) {
  const others = Object.fromEntries(NAMES.map((name) => [name, waiting.map((value) => value && 1)]));
  const all = { from: at(from), until: at(from + step * waiting.length), step, series: { waiting, ...others }, markers };
  return /** @type {Api.SaleHistory} */ (/** @type {unknown} */ (all));
}

test('recorded values take the place of the first live ones, and the live ones go on without a gap', () => {
  const series = new SaleSeries();
  // After a reload: the first live answer has no rate, because there is none before it.
  series.add(stats(10.4, 9, 100), null);
  series.add(stats(11.4, 8, 102), stats(10.4, 9, 100));
  assert.deepEqual(series.values.joins, [null, 2]);
  series.merge(history(0, 1, [20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, null]));
  assert.deepEqual(
    series.at.map((one) => one - BEGIN).map((one) => Math.round(one * 10) / 10),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11.4],
  );
  assert.deepEqual(series.values.waiting.slice(-3), [11, 10, 8]);
  assert.deepEqual(series.values.joins.slice(-2), [1, 2], 'the first rate is a recorded one');
  assert.ok(series.values.waiting.every((value) => value !== null));
  series.add(stats(12.4, 7, 105), stats(11.4, 8, 102));
  assert.deepEqual(series.values.joins.slice(-2), [2, 3]);
});

test('the last seconds are read again: gaps in the live values are filled, and gaps in the recorded ones stay', () => {
  const series = new SaleSeries();
  series.merge(history(0, 1, [5, 5, 5]));
  series.addGap();
  series.add(stats(9.2, 4, 0), null);
  assert.ok(series.values.waiting.includes(null));
  series.merge(history(0, 1, [5, 5, 5, 6, null, 6, 6, 6, 6, 4]));
  assert.deepEqual(series.values.waiting, [5, 5, 5, 6, null, 6, 6, 6, 6, 4]);
  assert.equal(series.at.length, 10);
});

test('markers of the last seconds replace those of the same time, and earlier ones stay', () => {
  const series = new SaleSeries();
  const marker = (/** @type {number} */ seconds, /** @type {string} */ kind) => ({ at: at(seconds), kind });
  series.merge(history(0, 1, Array(100).fill(1), [marker(5, 'OPENED'), marker(70, 'PAUSED')]));
  series.merge(history(60, 1, Array(60).fill(1), [marker(70, 'PAUSED'), marker(110, 'RESUMED')]));
  assert.deepEqual(
    series.markers.map(({ kind }) => kind),
    ['OPENED', 'PAUSED', 'RESUMED'],
  );
});

test('values that are older than the range are forgotten, of any step', () => {
  const series = new SaleSeries();
  series.merge(history(0, 1, Array(500).fill(1)));
  for (let second = 500; second < 1500; second += 1) series.add(stats(second, 1, second), stats(second - 1, 1, second - 1));
  const span = (series.at.at(-1) ?? 0) - series.at[0];
  assert.ok(span >= 600 && span <= 670, `${span} s are kept`);
  assert.equal(series.at.length, series.values.waiting.length);
  series.restart(86_400);
  series.merge(history(0, 60, Array(1440).fill(1)));
  assert.equal(series.at.length, 1440);
  series.add(stats(86_401, 1, 0), null);
  assert.equal(series.at.length, 1441, 'a live second follows the minutes');
  series.merge(history(86_370, 1, Array(30).fill(2)));
  assert.equal(series.at.length, 1471, 'the last seconds come beside the minutes');
});

test('the charts begin with the first recorded value', () => {
  const series = new SaleSeries();
  series.add(stats(10.4, 9, 100), null);
  series.merge(history(0, 1, [null, null, null, null, 7, null, 6, 6, 6, 6, 5]));
  assert.deepEqual(series.values.waiting, [7, null, 6, 6, 6, 6, 5]);
  assert.equal(series.at[0], BEGIN + 4);
});

test('while Redis does not answer, live values have a gap', () => {
  const series = new SaleSeries();
  series.add({ ...stats(10, 9, 0), line_as_of: at(5) }, null);
  assert.deepEqual([series.values.waiting, series.values.revenue], [[null], [3]]);
});
