// Picked, excluded and lost seats, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Choice, KIND_GONE, KIND_HELD, KIND_MINE, KIND_PICKED, EXCLUDED } from '../../../web/js/seats/choice.js';
import { GONE } from '../../../web/js/seats/states.js';
import { planVenue } from '../../../web/js/seats/venue.js';

/** Creates a choice among two rows of four seats at 20 and two at 10, with a limit of two, and records its events. */
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
  /** @type {(string | number)[][]} */
  const events = [];
  for (const what of /** @type {const} */ (['seats', 'picks', 'filter', 'lost'])) choice.on(what, (which) => events.push([what, ...which]));
  return { choice, events };
}

/**
 * A change of states as the service sends it.
 * @param {string} since @param {string} version @param {...[number, 'AVAILABLE' | 'HELD' | 'UNAVAILABLE']} seats
 */
const change = (since, version, ...seats) => ({
  since,
  version,
  seats: seats.map(([seat, status]) => ({ id: seat + 100, status })),
});

test('seats are picked up to the limit, and removed again', () => {
  const { choice } = createChoice();
  assert.deepEqual([choice.toggle(0), choice.toggle(9), choice.toggle(3)], ['picked', 'picked', 'full']);
  assert.deepEqual([[...choice.picked], choice.remaining, choice.total], [[0, 9], 0, 30]);
  assert.equal(choice.kinds[0], KIND_PICKED);
  assert.equal(choice.toggle(0), 'removed');
  assert.deepEqual([choice.kinds[0], choice.remaining], [0, 1]);
});

test('nothing is picked outside the turn, and no taken seat', () => {
  const { choice } = createChoice({ active: false });
  assert.equal(choice.toggle(0), 'not now');
  choice.setAllowed(true, 2);
  choice.apply(change('', '1', [0, 'HELD'], [1, 'UNAVAILABLE']));
  assert.deepEqual([choice.toggle(0), choice.toggle(1)], ['taken', 'taken']);
  assert.deepEqual([choice.kinds[0], choice.kinds[1]], [KIND_HELD, KIND_GONE]);
});

test('a picked seat that another buyer takes is lost, and reported once', () => {
  const { choice, events } = createChoice();
  choice.toggle(0);
  choice.toggle(1);
  events.length = 0;
  assert.ok(choice.apply(change('', '1', [0, 'HELD'], [5, 'HELD'])));
  assert.deepEqual(events, [['seats', 0, 5], ['picks'], ['lost', 0]]);
  assert.deepEqual([...choice.picked], [1]);
  events.length = 0;
  choice.markTaken([0, 5]);
  assert.deepEqual(events, [['seats']]);
  choice.markTaken([1]);
  assert.deepEqual(events.at(-1), ['lost', 1]);
});

test('own seats stay own in every state, and count for the limit', () => {
  const { choice, events } = createChoice();
  choice.toggle(0);
  choice.toggle(1);
  events.length = 0;
  choice.setOwn([0]);
  assert.deepEqual([[...choice.picked], choice.remaining, choice.kinds[0]], [[1], 0, KIND_MINE]);
  choice.apply(change('', '1', [0, 'HELD']));
  assert.equal(choice.kinds[0], KIND_MINE);
  assert.ok(!events.some(([what]) => what === 'lost'));
  choice.setOwn([]);
  assert.equal(choice.kinds[0], KIND_HELD);
});

test('picked seats of an excluded band stay picked, and the band can be included again', () => {
  const { choice } = createChoice();
  choice.toggle(0);
  choice.setBandHidden(0, true);
  assert.deepEqual([choice.kinds[0], choice.kinds[1]], [KIND_PICKED, EXCLUDED]);
  assert.ok(!choice.isSelectable(1) && choice.isOpen(1) && choice.isSelectable(9));
  choice.setBandHidden(0, false);
  assert.ok(choice.isSelectable(1) && choice.kinds[1] === 0);
});

test('only seats that look different are reported', () => {
  const { choice, events } = createChoice();
  choice.apply(change('', '1', [3, 'HELD']));
  choice.apply(change('1', '2', [3, 'HELD']));
  assert.deepEqual(events, [['seats', 3], ['seats']]);
  assert.ok(!choice.apply(change('1', '3', [4, 'HELD'])), 'a gap');
  choice.load({ version: '9', layout_version: 1, status: Buffer.from([GONE, 0, 0, 0]).toString('base64') });
  assert.deepEqual(events.at(-1), ['seats', 0, 3]);
});
