// What is picked, left out and lost, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Choice, KIND_GONE, KIND_HELD, KIND_MINE, KIND_PICKED, EXCLUDED } from '../../../web/js/seats/choice.js';
import { GONE } from '../../../web/js/seats/states.js';
import { planVenue } from '../../../web/js/seats/venue.js';

/** Two rows of four at 20, two of four at 10; two seats may be picked; and what it told. */
function createChoice({ active = true } = {}) {
  const seats = Array.from({ length: 16 }, (_, index) => ({
    id: index + 100,
    seat_number: index + 1,
    section: index < 8 ? 'A' : 'B',
    row: String(Math.floor(index / 4) % 2),
    seat_price: index < 8 ? 20 : 10,
  }));
  const choice = new Choice(planVenue(seats));
  choice.setAllowed(active, 2);
  const told = [];
  for (const what of ['seats', 'picks', 'filter', 'lost']) choice.on(what, (which) => told.push([what, ...which]));
  return { choice, told };
}

/** A change of states as the service tells it. */
const change = (since, version, ...seats) => ({ since, version, seats: seats.map(([seat, status]) => ({ id: seat + 100, status })) });

test('seats are picked up to the limit, and given up again', () => {
  const { choice } = createChoice();
  assert.deepEqual([choice.toggle(0), choice.toggle(9), choice.toggle(3)], ['picked', 'picked', 'full']);
  assert.deepEqual([[...choice.picked], choice.remaining, choice.total], [[0, 9], 0, 30]);
  assert.equal(choice.kinds[0], KIND_PICKED);
  assert.equal(choice.toggle(0), 'removed');
  assert.deepEqual([choice.kinds[0], choice.remaining], [0, 1]);
});

test('nothing is picked while it is not one’s turn, nor what others have', () => {
  const { choice } = createChoice({ active: false });
  assert.equal(choice.toggle(0), 'not now');
  choice.setAllowed(true, 2);
  choice.apply(change('', '1', [0, 'HELD'], [1, 'UNAVAILABLE']));
  assert.deepEqual([choice.toggle(0), choice.toggle(1)], ['taken', 'taken']);
  assert.deepEqual([choice.kinds[0], choice.kinds[1]], [KIND_HELD, KIND_GONE]);
});

test('a picked seat that somebody takes is lost, and told of once', () => {
  const { choice, told } = createChoice();
  choice.toggle(0);
  choice.toggle(1);
  told.length = 0;
  assert.ok(choice.apply(change('', '1', [0, 'HELD'], [5, 'HELD'])));
  assert.deepEqual(told, [['seats', 0, 5], ['picks'], ['lost', 0]]);
  assert.deepEqual([...choice.picked], [1]);
  told.length = 0;
  choice.markTaken([0, 5]);
  assert.deepEqual(told, [['seats']]);
  choice.markTaken([1]);
  assert.deepEqual(told.at(-1), ['lost', 1]);
});

test('what one has is one’s own, whatever its state, and counts for the limit', () => {
  const { choice, told } = createChoice();
  choice.toggle(0);
  choice.toggle(1);
  told.length = 0;
  choice.setOwn([0]);
  assert.deepEqual([[...choice.picked], choice.remaining, choice.kinds[0]], [[1], 0, KIND_MINE]);
  choice.apply(change('', '1', [0, 'HELD']));
  assert.equal(choice.kinds[0], KIND_MINE);
  assert.ok(!told.some(([what]) => what === 'lost'));
  choice.setOwn([]);
  assert.equal(choice.kinds[0], KIND_HELD);
});

test('a band that is left out is neither lost nor forgotten', () => {
  const { choice } = createChoice();
  choice.toggle(0);
  choice.setBandHidden(0, true);
  assert.deepEqual([choice.kinds[0], choice.kinds[1]], [KIND_PICKED, EXCLUDED]);
  assert.ok(!choice.isSelectable(1) && choice.isOpen(1) && choice.isSelectable(9));
  choice.setBandHidden(0, false);
  assert.ok(choice.isSelectable(1) && choice.kinds[1] === 0);
});

test('only what looks otherwise is told of', () => {
  const { choice, told } = createChoice();
  choice.apply(change('', '1', [3, 'HELD']));
  choice.apply(change('1', '2', [3, 'HELD']));
  assert.deepEqual(told, [['seats', 3], ['seats']]);
  assert.ok(!choice.apply(change('1', '3', [4, 'HELD'])), 'a gap');
  choice.load({ version: '9', status: Buffer.from([GONE, 0, 0, 0]).toString('base64') });
  assert.deepEqual(told.at(-1), ['seats', 0, 3]);
});
