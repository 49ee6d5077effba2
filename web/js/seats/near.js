// @ts-check
/**
 * Finds the free seats nearest to lost ones. (Which seats are the best available, the service decides.)
 * Uses no document and no network.
 */

/** Extra distance of a seat in another section, and of a dearer seat, in units of the plan. */
const OTHER_SECTION = 12;
const DEARER = 8;

/**
 * @typedef {import('./venue.js').Venue} Venue
 * @typedef {(seat: number) => boolean} SeatFilter
 */

/**
 * Calls `found` for each run of `many` neighbouring seats that all match the filter.
 * @param {Venue} venue @param {number} many @param {SeatFilter} isFree
 * @param {(run: Int32Array) => void} found
 */
function forEachRun(venue, many, isFree, found) {
  for (const section of venue.sections) {
    for (const { first, count } of section.lines) {
      let run = 0;
      for (let at = first; at < first + count; at++) {
        run = isFree(section.seats[at]) ? run + 1 : 0;
        if (run >= many) found(section.seats.subarray(at - many + 1, at + 1));
      }
    }
  }
}

/**
 * The free seats closest to `lost`, not necessarily side by side.
 * @param {Venue} venue @param {number[]} lost @param {number} many @param {SeatFilter} isFree
 */
function closestSeats(venue, lost, many, isFree) {
  const near = distanceTo(venue, lost);
  const free = [];
  for (let seat = 0; seat < venue.count; seat++) if (isFree(seat)) free.push(seat);
  if (free.length < many) return null;
  const costs = new Map(free.map((seat) => [seat, near(seat)]));
  const order = (/** @type {number} */ one, /** @type {number} */ other) => (costs.get(one) ?? 0) - (costs.get(other) ?? 0) || one - other;
  return free
    .sort(order)
    .slice(0, many)
    .sort((one, other) => one - other);
}

/** Returns a function for a seat's distance to the lost seats. @param {Venue} venue @param {number[]} lost */
function distanceTo(venue, lost) {
  const middle = (/** @type {Float32Array} */ axis) => lost.reduce((sum, seat) => sum + axis[seat], 0) / lost.length;
  const [x, y] = [middle(venue.x), middle(venue.y)];
  const sections = new Set(lost.map((seat) => venue.section[seat]));
  const price = Math.max(...lost.map((seat) => venue.seats[seat].seat_price));
  return (/** @type {number} */ seat) =>
    Math.hypot(venue.x[seat] - x, venue.y[seat] - y) +
    (sections.has(venue.section[seat]) ? 0 : OTHER_SECTION) +
    (venue.seats[seat].seat_price > price ? DEARER : 0);
}

/**
 * Finds up to `choices` sets of as many seats as were lost, the nearest first. The seats of a set are
 * neighbours if possible, and no seat is in two sets.
 * @param {Venue} venue @param {number[]} lost @param {SeatFilter} isFree whether a seat is free and not picked
 * @returns {number[][]}
 */
export function nearestSets(venue, lost, isFree, choices = 3) {
  if (lost.length === 0) return [];
  const cost = distanceTo(venue, lost);
  /** @type {{run: Int32Array, cost: number}[]} */
  const runs = [];
  forEachRun(venue, lost.length, isFree, (run) => {
    runs.push({ run, cost: run.reduce((sum, seat) => sum + cost(seat), 0) / run.length });
  });
  runs.sort((one, other) => one.cost - other.cost || one.run[0] - other.run[0]);
  const used = new Set();
  const sets = [];
  for (const { run } of runs) {
    if (sets.length === choices) break;
    if (run.some((seat) => used.has(seat))) continue;
    run.forEach((seat) => used.add(seat));
    sets.push([...run]);
  }
  if (sets.length > 0) return sets;
  const loose = closestSeats(venue, lost, lost.length, isFree);
  return loose ? [loose] : [];
}
