// @ts-check
/** Seats and prices in words. */
import { money, number, t } from '../lib/text.js';
import { page } from '../lib/page.js';

/** @typedef {import('./venue.js').Venue} Venue */

const list = new Intl.ListFormat(page.lang, { type: 'conjunction' });

/** A name that somebody else gave, so that its direction of writing does not turn what is around it. @param {string} name */
export const alone = (name) => `\u2068${name}\u2069`;

/** How many. @param {number} many */
export const count = (many) => number(many);

/** `Floor · row 3 · seat 37`. @param {{section: string, row: string, seat_number: number}} seat */
export function seatName({ section, row, seat_number }) {
  return t('shop.seat', { section: alone(section), row: alone(row), seat: String(seat_number) });
}

/** As above, without the section. @param {{row: string, seat_number: number}} seat */
export function shortName({ row, seat_number }) {
  return t('shop.seat.short', { row: alone(row), seat: String(seat_number) });
}

/**
 * Several seats, those of one row together: `Floor · row 3 · seats 37 and 38`.
 * @param {{section: string, row: string, seat_number: number}[]} seats
 */
export function seatNames(seats) {
  /** @type {Map<string, typeof seats>} */
  const rows = new Map();
  for (const seat of seats) {
    const row = `${seat.section}\n${seat.row}`;
    rows.set(row, [...(rows.get(row) ?? []), seat]);
  }
  return list.format([...rows.values()].map(rowOf));
}

/** @param {{section: string, row: string, seat_number: number}[]} seats */
function rowOf(seats) {
  if (seats.length === 1) return seatName(seats[0]);
  const [{ section, row }] = seats;
  const numbers = seats.map(({ seat_number }) => seat_number).sort((one, other) => one - other);
  const run = numbers.length > 2 && numbers[numbers.length - 1] - numbers[0] === numbers.length - 1;
  const told = run ? `${numbers[0]}–${numbers[numbers.length - 1]}` : list.format(numbers.map(String));
  return t('shop.seats', { section: alone(section), row: alone(row), seats: told });
}

/** A band's prices. @param {import('./prices.js').Band} band */
export function bandName({ low, high }) {
  return low === high ? money(low) : `${money(low)} – ${money(high)}`;
}
