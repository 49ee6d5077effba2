/** The console's venue editing and its comparison of two operators' changes: the parts without a page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareStates } from '../../../web/js/admin/compare.js';
import { readSections } from '../../../web/js/admin/paste.js';
import { fixedSections, isSameVenue, requestOf, seatsOf, sectionsOf, sumUp, withPrices } from '../../../web/js/admin/sections.js';

const FLOOR = { name: 'Floor', rows: 2, seats_per_row: 3, seat_price: 120_000 };

test('sections are read from tabs, commas and semicolons, with headings, quotes and thousands', () => {
  for (const text of [
    'Section\tRows\tSeats per row\tPrice\nFloor\t2\t3\t120,000\n\n',
    'Floor,2,3,120000',
    '"Floor",2,3,"120,000"\r\n',
    'Floor;2;3;120.000',
    'Floor\t2\t3\t₩120,000',
  ])
    assert.deepEqual(readSections(text), { sections: [FLOOR], mistakes: [] }, text);
  assert.equal(readSections('"A ""B"", C",1,1,0').sections[0].name, 'A "B", C');
  assert.deepEqual(readSections('\n \n'), { sections: [], mistakes: [] });
});

test('each mistake names its line and column, and nothing is read', () => {
  const { sections, mistakes } = readSections('Floor\t2\t3\t100\nBalcony\t0\tten\t-5\n\tx');
  assert.deepEqual(sections, []);
  const found = mistakes.map(({ line, column, problem }) => [line, column, problem]);
  assert.deepEqual(found, [
    [2, 2, 'range'],
    [2, 3, 'number'],
    [2, 4, 'number'],
    [3, 1, 'missing'],
    [3, 2, 'number'],
    [3, 3, 'missing'],
    [3, 4, 'missing'],
  ]);
  assert.equal(readSections(`${'x'.repeat(51)}\t1\t1\t1`).mistakes[0].problem, 'name');
});

test('a hundred sections with 50,000 seats are read and expanded at once', () => {
  const text = Array.from({ length: 100 }, (_, at) => `Block ${at}\t20\t25\t${1000 * at}`).join('\n');
  const begun = performance.now();
  const { sections } = readSections(text);
  const seats = seatsOf(sections);
  assert.equal(seats.length, 50_000);
  assert.deepEqual(sectionsOf(seats.map((seat) => ({ ...seat, id: seat.seat_number }))), sections);
  assert.ok(performance.now() - begun < 1000, 'within a second');
});

test('a section with uneven rows keeps them, also when it is renamed', () => {
  const rows = [
    ['A', 2],
    ['B', 3],
  ];
  const seats = rows.flatMap(([row, count]) =>
    Array.from({ length: Number(count) }, () => ({ id: 1, seat_number: 1, section: 'Arc', row: String(row), seat_price: 5 })),
  );
  const [arc] = sectionsOf(seats);
  assert.deepEqual(
    arc.shape?.map(({ name, seats: count }) => [name, count]),
    rows,
  );
  assert.deepEqual(sumUp([arc, FLOOR]), { seats: 11, worth: 25 + 720_000 });
  const request = requestOf([{ ...arc, name: 'Curve' }, FLOOR]);
  assert.deepEqual(
    request.seats?.map(({ section, row }) => section + row),
    ['CurveA', 'CurveA', 'CurveB', 'CurveB', 'CurveB', 'Floor1', 'Floor1', 'Floor1', 'Floor2', 'Floor2', 'Floor2'],
  );
  assert.deepEqual(request.seats?.map(({ seat_number }) => seat_number).slice(0, 3), [1, 2, 3]);
  assert.ok(isSameVenue([arc], [{ ...arc }]) && !isSameVenue([arc], [FLOOR]));
  assert.deepEqual(requestOf([FLOOR]), { sections: [FLOOR] });
});

test('prices of fixed sections follow their seats by section and price', () => {
  const state = [
    { name: 'A', seat_price: 5, rows: 1, seats: 2, blocked: 0 },
    { name: 'A', seat_price: 9, rows: 1, seats: 1, blocked: 0 },
  ];
  const before = fixedSections(state);
  assert.deepEqual(sumUp(before), { seats: 3, worth: 19 });
  const seats = [5, 9, 5].map((seat_price, at) => ({ id: at, seat_number: at + 1, section: 'A', row: '1', seat_price }));
  const now = [{ ...before[0], seat_price: 7 }, before[1]];
  const priced = withPrices(seats, before, now).map(({ seat_price }) => seat_price);
  assert.deepEqual(priced, [7, 9, 7]);
});

test('only changes of the same field conflict', () => {
  const before = { capacity: 500, paused: false, message: null };
  const names = Object.keys(before);
  const current = { ...before, capacity: 400, message: 'soon' };
  const compare = (/** @type {any} */ mine) => compareStates({ before, mine, names }, current);
  assert.deepEqual(compare({ paused: true }), { changed: ['capacity', 'message'], lost: [] });
  assert.deepEqual(compare({ capacity: 300 }).lost, ['capacity']);
  assert.deepEqual(compare({ capacity: 400 }).lost, [], 'both want the same');
  assert.deepEqual(compare(null).lost, ['capacity', 'message'], 'replacing everything overwrites both');
});
