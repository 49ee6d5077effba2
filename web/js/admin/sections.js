// @ts-check
/** Sections of a venue: from its seats, to its seats, and what is sent to the service. Uses no document. */

/** @import * as Api from '../onsale/types.d.ts' */

/** Maximum number of seats in one call and in one schedule. */
export const MAX_PER_CALL = 100_000;
export const MAX_SEATS = 200_000;
/** Maximum price of a seat. */
export const MAX_PRICE = 1_000_000_000;
/** Maximum length of a section's name. */
export const MAX_NAME = 50;

/**
 * A section as it is edited. `shape` has the rows of a section whose rows differ in length or are not
 * named 1, 2, …; then `rows` and `seats_per_row` only describe it.
 * @typedef {Api.NewSection & { shape?: { name: string, seats: number }[] }} Section
 */

/** The sections of a layout, in order of their seats. @param {Api.Seat[]} seats @returns {Section[]} */
export function sectionsOf(seats) {
  /** @type {{ name: string, seat_price: number, shape: { name: string, seats: number }[] }[]} */
  const found = [];
  for (const { section, row, seat_price } of seats) {
    let last = found.at(-1);
    if (!last || last.name !== section || last.seat_price !== seat_price) found.push((last = { name: section, seat_price, shape: [] }));
    const line = last.shape.at(-1);
    if (line?.name === row) line.seats += 1;
    else last.shape.push({ name: row, seats: 1 });
  }
  return found.map(({ name, seat_price, shape }) => {
    const seats_per_row = Math.max(...shape.map((line) => line.seats));
    const isRegular = shape.every((line, at) => line.seats === seats_per_row && line.name === String(at + 1));
    return { name, seat_price, rows: shape.length, seats_per_row, ...(isRegular ? {} : { shape }) };
  });
}

/**
 * The sections of seats that can't be changed any more, except for their prices.
 * @param {Api.SectionState[]} sections @returns {Section[]}
 */
export const fixedSections = (sections) =>
  sections.map(({ name, seat_price, rows, seats }) => ({ name, seat_price, rows, seats_per_row: seats, shape: [{ name: '', seats }] }));

/**
 * Seats with the prices of their sections as they are edited.
 * @param {Api.Seat[]} seats @param {Section[]} before @param {Section[]} now the same sections
 * @returns {Api.NewSeat[]}
 */
export function withPrices(seats, before, now) {
  const key = (/** @type {string} */ name, /** @type {number} */ price) => `${price} ${name}`;
  const prices = new Map(before.map(({ name, seat_price }, at) => [key(name, seat_price), now[at].seat_price]));
  return seats.map(({ seat_number, section, row, seat_price }) => {
    return { seat_number, section, row, seat_price: prices.get(key(section, seat_price)) ?? seat_price };
  });
}

/** The number of seats of a section. @param {Section} section */
export const sizeOf = ({ rows, seats_per_row, shape }) =>
  shape ? shape.reduce((sum, { seats }) => sum + seats, 0) : Math.max(0, rows) * Math.max(0, seats_per_row);

/** The number of seats, and their prices together. @param {Section[]} sections */
export function sumUp(sections) {
  const [seats, worth] = sections.reduce(([all, value], one) => [all + sizeOf(one), value + sizeOf(one) * one.seat_price], [0, 0]);
  return { seats, worth };
}

/** Every seat of the sections, numbered from 1. @param {Section[]} sections @returns {Api.NewSeat[]} */
export function seatsOf(sections) {
  /** @type {Api.NewSeat[]} */
  const seats = [];
  for (const { name, rows, seats_per_row, seat_price, shape } of sections) {
    const lines = shape ?? Array.from({ length: rows }, (_, at) => ({ name: String(at + 1), seats: seats_per_row }));
    for (const line of lines) {
      for (let nth = 0; nth < line.seats; nth += 1)
        seats.push({ seat_number: seats.length + 1, section: name, row: line.name, seat_price });
    }
  }
  return seats;
}

/** The request that creates these sections. @param {Section[]} sections */
export function requestOf(sections) {
  if (sections.some(({ shape }) => shape)) return { seats: seatsOf(sections) };
  return { sections: sections.map(({ name, rows, seats_per_row, seat_price }) => ({ name, rows, seats_per_row, seat_price })) };
}

/** Whether two lists have the same sections. @param {Section[]} one @param {Section[]} other */
export const isSameVenue = (one, other) => JSON.stringify(one.map(essence)) === JSON.stringify(other.map(essence));

/** @param {Section} section */
const essence = ({ name, rows, seats_per_row, seat_price, shape }) => [name, rows, seats_per_row, seat_price, shape ?? null];
