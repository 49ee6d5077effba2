// @ts-check
/**
 * The section and row of seats, for pages that know only their numbers. They are stored when the seat is
 * chosen, else read from the layout.
 */
import { onsale } from '../lib/session.js';
import { localStore } from '../lib/store.js';

const KEY = 'onsale.labels';
/** Maximum number of stored labels. The oldest are removed first. */
const MAX_LABELS = 500;

/** @typedef {{section: string, row: string, seat_number: number}} Label */
/** @typedef {{id: number, section: string, row: string, seat_number: number}} Seat */

/** @returns {[number, string, string, number][]} */
const loadKept = () => {
  const found = localStore.get(KEY);
  return Array.isArray(found) ? found : [];
};

/** Stores the section and row of these seats. @param {Seat[]} seats */
export function saveLabels(seats) {
  const ids = new Set(seats.map(({ id }) => id));
  const others = loadKept().filter(([id]) => !ids.has(id));
  const now = seats.map(({ id, section, row, seat_number }) => [id, section, row, seat_number]);
  localStore.set(KEY, [...others, ...now].slice(-MAX_LABELS));
}

/**
 * Loads the section and row of these seats, by seat id. Seats whose layout can't be loaded are left out.
 * @param {{seat_id: number, schedule_id: number}[]} wanted
 * @returns {Promise<Map<number, Label>>}
 */
export async function loadLabels(wanted) {
  const known = new Map(loadKept().map(([id, section, row, seat_number]) => [id, { section, row, seat_number }]));
  const unknown = wanted.filter(({ seat_id }) => !known.has(seat_id));
  const schedules = [...new Set(unknown.map(({ schedule_id }) => schedule_id))];
  await Promise.all(
    schedules
      .map(async (schedule) => {
        const ids = new Set(unknown.map(({ seat_id }) => seat_id));
        const { seats } = await onsale.layout(schedule);
        const found = seats.filter(({ id }) => ids.has(id));
        saveLabels(found);
        found.forEach((seat) => known.set(seat.id, seat));
      })
      .map((one) => one.catch(() => {})),
  );
  return known;
}
