// @ts-check
/** Keeps the picked seats across reloads of the tab. */
import { tabStore } from '../lib/store.js';

/** @param {number} schedule @param {import('./choice.js').Choice} choice */
export function persistPicks(schedule, choice) {
  const key = `onsale.picks.${schedule}`;
  /** @type {unknown} */
  let saved = tabStore.get(key);
  choice.on('picks', () => {
    if (!choice.active) return;
    if (Array.isArray(saved)) {
      const seats = saved.flatMap((id) => choice.states.seatById.get(id) ?? []).filter((seat) => choice.isOpen(seat));
      saved = null;
      choice.pickOnly(seats.slice(0, choice.remaining));
    }
    tabStore.set(
      key,
      [...choice.picked].map((seat) => choice.venue.seats[seat].id),
    );
  });
}
