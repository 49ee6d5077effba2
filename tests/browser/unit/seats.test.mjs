// The seat map without a browser: the plan, states and changes, offers, the view and the pixels.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { states as decode } from '../../../web/js/onsale.js';
import { nearestSets } from '../../../web/js/seats/near.js';
import { FULL, Raster, RING, SPECK } from '../../../web/js/seats/raster.js';
import { AVAILABLE, GONE, HELD, States } from '../../../web/js/seats/states.js';
import { planVenue, seatAt, sectionAt } from '../../../web/js/seats/venue.js';
import { interpolateView, fitView, clampView, toPlan, toScreen, zoomView } from '../../../web/js/seats/view.js';

/** A section: its name, rows, seats in each row, and their price. @typedef {[string, number, number, number]} Section */

/** Creates seats, numbered as the service does. @param {...Section} sections */
function seatsOf(...sections) {
  /** @type {import('../../../web/js/seats/venue.js').Seat[]} */
  const seats = [];
  for (const [section, rows, each, seat_price] of sections) {
    for (let row = 1; row <= rows; row++) {
      for (let nth = 0; nth < each; nth++) {
        const seat_number = seats.length + 1;
        seats.push({ id: seat_number + 1000, seat_number, section, row: String(row), seat_price });
      }
    }
  }
  return seats;
}

/** @type {Section[]} */
const THEATRE = [
  ['Floor', 10, 16, 150],
  ['Circle', 8, 15, 110],
  ['Balcony', 6, 20, 70],
];
/** @returns {Section[]} */
const arena = () => Array.from({ length: 50 }, (_, n) => [`S${n}`, 25, 40, [180, 150, 120, 90, 60][Math.floor(n / 10)]]);
/** @type {Record<string, Section[]>} */
const ODD = {
  theatre: THEATRE,
  arena: arena(),
  'one long row': [['All', 1, 5000, 10]],
  'one block': [['All', 100, 500, 10]],
  'a section for each seat': Array.from({ length: 300 }, (_, n) => [`S${n}`, 1, 1, n]),
  'one seat': [['A', 1, 1, 0]],
  'unlike sections': [
    ['A', 3, 100, 9],
    ['B', 40, 3, 9],
    ['C', 1, 1, 9],
    ['D', 10, 10, 5],
  ],
};

for (const [name, sections] of Object.entries(ODD)) {
  test(`no two seats overlap, and each is found at its position: ${name}`, () => {
    const venue = planVenue(seatsOf(...sections));
    const cells = new Map();
    for (let seat = 0; seat < venue.count; seat++) {
      assert.equal(seatAt(venue, venue.x[seat], venue.y[seat]), seat);
      const [column, line] = [Math.floor(venue.x[seat]), Math.floor(venue.y[seat])];
      for (let x = column - 1; x <= column + 1; x++) {
        for (let y = line - 1; y <= line + 1; y++) {
          for (const other of cells.get(`${x},${y}`) ?? []) {
            const apart = Math.hypot(venue.x[seat] - venue.x[other], venue.y[seat] - venue.y[other]);
            assert.ok(apart > 0.9, `${seat} and ${other} are ${apart} apart`);
          }
        }
      }
      const cell = `${column},${line}`;
      cells.set(cell, [...(cells.get(cell) ?? []), seat]);
    }
  });
}

test('a venue without seats has a plan too', () => {
  const venue = planVenue([]);
  assert.equal(venue.count, 0);
  assert.ok(venue.bounds.right > venue.bounds.left);
  assert.equal(seatAt(venue, 0, 10), -1);
});

test('a seat added to a section later belongs to it', () => {
  const seats = seatsOf(['A', 1, 2, 10], ['B', 1, 2, 10]);
  seats.push({ id: 9, seat_number: 5, section: 'A', row: '1', seat_price: 10 });
  const venue = planVenue(seats);
  assert.deepEqual([...venue.sections[0].seats], [0, 1, 4]);
  assert.equal(venue.sections[0].rows.length, 1);
});

test('there is no seat on the stage or between sections', () => {
  const venue = planVenue(seatsOf(...THEATRE));
  assert.equal(seatAt(venue, 0, venue.stage.inner), -1);
  assert.equal(sectionAt(venue, 0, venue.stage.inner), null);
  const [floor] = venue.sections;
  assert.equal(sectionAt(venue, floor.x, floor.y), floor);
  assert.equal(seatAt(venue, floor.x + floor.width, floor.y), -1);
});

test('many prices share six bands, and no price is missing', () => {
  /** @type {Section[]} */
  const sections = Array.from({ length: 20 }, (_, n) => [`S${n}`, 1, 5, 100 - n]);
  const venue = planVenue(seatsOf(...sections));
  assert.equal(venue.bands.length, 6);
  assert.equal(
    venue.bands.reduce((sum, band) => sum + band.count, 0),
    100,
  );
  for (let seat = 0; seat < venue.count; seat++) {
    const { low, high } = venue.bands[venue.band[seat]];
    assert.ok(venue.seats[seat].seat_price >= low && venue.seats[seat].seat_price <= high);
  }
});

test('each seat has two bits, the first seat the lowest', () => {
  // 0b11_10_01_00, 0b01: free, held, gone, 3, held.
  const states = decode(Buffer.from([0b11100100, 0b01]).toString('base64'), 6);
  assert.deepEqual([...states], [0, 1, 2, 3, 1, 0]);
});

test('changes apply to the known version only', () => {
  const states = new States(planVenue(seatsOf(['A', 2, 4, 10], ['B', 1, 4, 5])));
  assert.deepEqual(states.load({ version: '1', layout_version: 1, status: Buffer.from([0b01, 0, 0]).toString('base64') }), [0]);
  assert.deepEqual([states.free, ...states.freeInSection, ...states.freeInBand], [11, 7, 4, 7, 4]);
  /** @type {import('../../../web/js/onsale/types.d.ts').SeatChanges['seats']} */
  const seats = [
    { id: 1001, status: 'AVAILABLE' },
    { id: 1009, status: 'UNAVAILABLE' },
    { id: 1002, status: 'AVAILABLE' },
  ];
  assert.deepEqual(states.apply({ since: '1', version: '2', seats }), [0, 8]);
  assert.deepEqual([states.version, states.states[0], states.states[8]], ['2', AVAILABLE, GONE]);
  assert.deepEqual([states.free, ...states.freeInSection], [11, 8, 3]);
  assert.equal(states.apply({ since: '1', version: '3', seats: [] }), null, 'a gap');
  assert.equal(states.apply({ since: '2', version: '3', seats: [{ id: 5, status: 'HELD' }] }), null, 'an unknown seat');
});

test('the counts of free seats match the states after any changes', () => {
  const states = new States(planVenue(seatsOf(...THEATRE)));
  let dice = 7;
  for (let turn = 0; turn < 2000; turn++) {
    dice = (dice * 48271) % 2147483647;
    states.set(dice % 400, dice % 3);
  }
  const free = [...states.states.keys()].filter((seat) => states.states[seat] === AVAILABLE);
  assert.equal(states.free, free.length);
  const { section, band } = states.venue;
  for (const one of [0, 1, 2]) {
    assert.equal(states.freeInSection[one], free.filter((seat) => section[seat] === one).length);
    assert.equal(states.freeInBand[one], free.filter((seat) => band[seat] === one).length);
  }
});

test('lost seats are replaced by up to three sets of nearby neighbours, no seat twice', () => {
  const venue = planVenue(seatsOf(...THEATRE));
  const sets = nearestSets(venue, [7, 8], (seat) => seat !== 7 && seat !== 8);
  assert.equal(sets.length, 3);
  assert.equal(new Set(sets.flat()).size, 6);
  for (const [one, other] of sets) {
    assert.equal(other, one + 1);
    assert.ok(Math.hypot(venue.x[one] - venue.x[7], venue.y[one] - venue.y[7]) < 4);
  }
  assert.deepEqual(
    nearestSets(venue, [7], (seat) => seat === 399),
    [[399]],
    'at any distance',
  );
  assert.deepEqual(
    nearestSets(venue, [7, 8], (seat) => seat === 399),
    [],
    'too few',
  );
  assert.deepEqual(
    nearestSets(venue, [7, 8], (seat) => seat === 20 || seat === 22),
    [[20, 22]],
    'apart',
  );
});

test('the point under the finger stays in place while zooming', () => {
  const { bounds } = planVenue(seatsOf(...arena()));
  const view = fitView(bounds, 400, 300);
  const near = zoomView(view, 220, 140, 6, bounds);
  assert.ok(Math.abs(near.scale - view.scale * 6) < 1e-9);
  const [x, y] = toPlan(view, 220, 140);
  const [left, top] = toScreen(near, x, y);
  assert.ok(Math.hypot(left - 220, top - 140) < 0.01);
  assert.ok(zoomView(near, 0, 0, 1e9, bounds).scale <= 46);
  assert.deepEqual(zoomView(near, 0, 0, 1e-9, bounds), view, 'not smaller than the whole');
});

test('the view stays on the plan, and a flight ends at its target', () => {
  const { bounds } = planVenue(seatsOf(...arena()));
  const view = { ...fitView(bounds, 400, 300), scale: 20 };
  const far = clampView({ ...view, x: 1e6, y: -1e6 }, bounds);
  assert.ok(far.x < bounds.right && far.y > bounds.top);
  const to = { ...view, x: 10, y: 90, scale: 30 };
  const end = interpolateView(view, to, 1);
  assert.ok(Math.abs(end.x - 10) < 1e-6 && Math.abs(end.scale - 30) < 1e-6);
});

test('redrawing one seat gives the same pixels as redrawing all, and changes only its square', () => {
  const venue = planVenue(seatsOf(...THEATRE));
  const look = (/** @type {number} */ shape) => ({ red: 10, green: 20, blue: 30, alpha: 1, shape });
  const looks = [look(FULL), look(RING), look(SPECK)];
  const kinds = new Uint8Array(venue.count);
  for (const scale of [1.3, 4, 9.7, 30]) {
    const view = { ...fitView(venue.bounds, 300, 200), scale };
    const make = () => {
      const raster = new Raster(300, 200, new Uint32Array(300 * 200));
      raster.aim(view, 1, looks);
      return raster;
    };
    kinds.fill(0);
    const one = make();
    one.paint(venue, kinds);
    const before = one.pixels.slice();
    kinds[200] = HELD;
    kinds[3] = GONE;
    const squares = [200, 3].map((seat) => one.repaint(venue, kinds, seat));
    const whole = make();
    whole.paint(venue, kinds);
    // Below two pixels per seat, neighbours share pixels, and the last one drawn wins.
    if (scale > 1.3) assert.deepEqual(one.pixels, whole.pixels, `at ${scale}`);
    const inside = (/** @type {number} */ x, /** @type {number} */ y) =>
      squares.some(
        (square) => square && x >= square.left && y >= square.top && x < square.left + square.side && y < square.top + square.side,
      );
    for (let at = 0; at < before.length; at++) {
      if (before[at] === one.pixels[at]) continue;
      assert.ok(inside(at % 300, Math.floor(at / 300)), `a stray pixel at ${scale}`);
    }
  }
});
