// The console's venue preview, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bandOf, placeSections, pricesOf } from '../../../web/js/admin/plan.js';

/** @param {string} name @param {number} rows @param {number} seats_per_row @param {number} [seat_price] */
const section = (name, rows, seats_per_row, seat_price = 100) => ({ name, rows, seats_per_row, seat_price });

test('a few sections have their own rows, and a short row is drawn shorter', () => {
  const { placed, rows } = placeSections([section('Floor', 10, 40), section('Balcony', 5, 20)]);
  assert.equal(rows, 17, 'two rows of space between them');
  assert.deepEqual(
    placed.map(({ first }) => first),
    [0, 12],
  );
  assert.deepEqual(
    placed.map(({ from, to }) => [from, to]),
    [
      [-1, 1],
      [-0.5, 0.5],
    ],
  );
});

test('many sections share rows, each as wide as its seats, without overlap', () => {
  const all = Array.from({ length: 30 }, (_, at) => section(`S${at}`, 5 + (at % 3), 10 + at));
  const { placed, rows } = placeSections(all);
  assert.equal(placed.length, 30);
  for (const [at, one] of placed.entries()) {
    assert.ok(one.from >= -1.0001 && one.to <= 1.0001 && one.from < one.to, one.section.name);
    const before = placed[at - 1];
    if (before && before.first === one.first) assert.ok(one.from >= before.to - 1e-9);
    else if (before) assert.ok(one.first >= before.first + before.section.rows, 'behind the previous tier');
    assert.ok(one.first + one.section.rows <= rows);
  }
});

test('each price has its colour, the highest price the first', () => {
  const prices = pricesOf([section('A', 1, 1, 70), section('B', 1, 1, 150), section('C', 1, 1, 70)]);
  assert.deepEqual(prices, [150, 70]);
  assert.deepEqual([bandOf(150, prices), bandOf(70, prices)], [0, 1]);
});
