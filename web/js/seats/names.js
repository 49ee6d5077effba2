// @ts-check
/** Names of seats and prices. */
import { money, number, t } from '../lib/text.js';
import { page } from '../lib/page.js';

/** @typedef {import('./venue.js').Venue} Venue */

const list = new Intl.ListFormat(page.lang, { type: 'conjunction' });

/** `37 and 38`; in Korean `37·38`. @param {string[]} numbers */
const joinNumbers = (numbers) => (page.lang === 'ko' ? numbers.join('·') : list.format(numbers));

/** Joins names of rows. @param {string[]} names */
const joinNames = (names) => (page.lang === 'ko' ? names.join(', ') : list.format(names));

/** Isolates a name, so that its writing direction does not affect the text around it. @param {string} name */
export const isolate = (name) => `\u2068${name}\u2069`;

/** Formats a count. @param {number} many */
export const formatCount = (many) => number(many);

/** `Floor · row 3 · seat 37`. @param {{section: string, row: string, seat_number: number}} seat */
export function seatName({ section, row, seat_number }) {
  return t('shop.seat', { section: isolate(section), row: isolate(row), seat: String(seat_number) });
}

/** `Row 3 · seat 37`. @param {{row: string, seat_number: number}} seat */
export function shortName({ row, seat_number }) {
  return t('shop.seat.short', { row: isolate(row), seat: String(seat_number) });
}

/**
 * Names several seats, grouped by row: `Floor · row 3 · seats 37 and 38`.
 * @param {{section: string, row: string, seat_number: number}[]} seats
 */
export function seatNames(seats) {
  /** @type {Map<string, typeof seats>} */
  const rows = new Map();
  for (const seat of seats) {
    const row = `${seat.section}\n${seat.row}`;
    rows.set(row, [...(rows.get(row) ?? []), seat]);
  }
  return joinNames([...rows.values()].map(rowName));
}

/** @param {{section: string, row: string, seat_number: number}[]} seats */
function rowName(seats) {
  if (seats.length === 1) return seatName(seats[0]);
  const [{ section, row }] = seats;
  const numbers = seats.map(({ seat_number }) => seat_number).sort((one, other) => one - other);
  const run = numbers.length > 2 && numbers[numbers.length - 1] - numbers[0] === numbers.length - 1;
  const joined = run ? `${numbers[0]}–${numbers[numbers.length - 1]}` : joinNumbers(numbers.map(String));
  return t('shop.seats', { section: isolate(section), row: isolate(row), seats: joined });
}

/** Names a band's price or price range. @param {import('./prices.js').Band} band */
export function bandName({ low, high }) {
  return low === high ? money(low) : `${money(low)} – ${money(high)}`;
}
