// @ts-check
/**
 * Which section and row a seat is in, for pages that know its number alone: kept when it was
 * chosen, else looked up in the layout.
 */
import { onsale } from '../lib/session.js';
import { local } from '../lib/store.js';

const KEY = 'onsale.labels';
/** As many are kept; the oldest go first. */
const MOST = 500;

/** @typedef {{section: string, row: string, seat_number: number}} Label */
/** @typedef {{id: number, section: string, row: string, seat_number: number}} Seat */

/** @returns {[number, string, string, number][]} */
const kept = () => {
  const found = local.get(KEY);
  return Array.isArray(found) ? found : [];
};

/** Keeps where seats are. @param {Seat[]} seats */
export function remember(seats) {
  const ids = new Set(seats.map(({ id }) => id));
  const others = kept().filter(([id]) => !ids.has(id));
  const now = seats.map(({ id, section, row, seat_number }) => [id, section, row, seat_number]);
  local.set(KEY, [...others, ...now].slice(-MOST));
}

/**
 * Where these seats are, by their ids. Those that can't be looked up are left out.
 * @param {{seat_id: number, schedule_id: number}[]} wanted
 * @returns {Promise<Map<number, Label>>}
 */
export async function labelsOf(wanted) {
  const known = new Map(kept().map(([id, section, row, seat_number]) => [id, { section, row, seat_number }]));
  const unknown = wanted.filter(({ seat_id }) => !known.has(seat_id));
  const schedules = [...new Set(unknown.map(({ schedule_id }) => schedule_id))];
  await Promise.all(schedules.map(async (schedule) => {
    const ids = new Set(unknown.map(({ seat_id }) => seat_id));
    const { seats } = await onsale.layout(schedule);
    const found = seats.filter(({ id }) => ids.has(id));
    remember(found);
    found.forEach((seat) => known.set(seat.id, seat));
  }).map((one) => one.catch(() => {})));
  return known;
}
