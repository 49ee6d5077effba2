// @ts-check
/** What is picked outlasts a reload of the page, in its tab. */
import { tab } from '../lib/store.js';

/** @param {number} schedule @param {import('./choice.js').Choice} choice */
export function keepPicks(schedule, choice) {
  const key = `onsale.picks.${schedule}`;
  /** @type {unknown} */
  let before = tab.get(key);
  choice.on('picks', () => {
    if (!choice.active) return;
    if (Array.isArray(before)) {
      const seats = before.flatMap((id) => choice.states.seatOf.get(id) ?? []).filter((seat) => choice.isOpen(seat));
      before = null;
      choice.pickOnly(seats.slice(0, choice.room));
    }
    tab.set(key, [...choice.picked].map((seat) => choice.venue.seats[seat].id));
  });
}
