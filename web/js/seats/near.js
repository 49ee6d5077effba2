// @ts-check
/**
 * Which seats to offer instead of those that were lost: the nearest. Which seats are the best the
 * service says.
 * Pure: no document, no network.
 */

/** What a seat of another section, or a dearer one, is further away by, in units of the plan. */
const OTHER_SECTION = 12;
const DEARER = 8;

/**
 * @typedef {import('./venue.js').Venue} Venue
 * @typedef {(seat: number) => boolean} Suits
 */

/**
 * Runs of neighbours that all suit, `many` seats each.
 * @param {Venue} venue @param {number} many @param {Suits} suits
 * @param {(run: Int32Array) => void} found
 */
function eachRun(venue, many, suits, found) {
  for (const section of venue.sections) {
    for (const { first, count } of section.lines) {
      let run = 0;
      for (let at = first; at < first + count; at++) {
        run = suits(section.seats[at]) ? run + 1 : 0;
        if (run >= many) found(section.seats.subarray(at - many + 1, at + 1));
      }
    }
  }
}

/** The free seats closest to `lost`, one by one. @param {Venue} venue @param {number[]} lost @param {number} many @param {Suits} suits */
function closest(venue, lost, many, suits) {
  const near = nearest(venue, lost);
  const free = [];
  for (let seat = 0; seat < venue.count; seat++) if (suits(seat)) free.push(seat);
  if (free.length < many) return null;
  const costs = new Map(free.map((seat) => [seat, near(seat)]));
  const order = (/** @type {number} */ one, /** @type {number} */ other) =>
    (costs.get(one) ?? 0) - (costs.get(other) ?? 0) || one - other;
  return free.sort(order).slice(0, many).sort((one, other) => one - other);
}

/** How far a seat is from what was lost. @param {Venue} venue @param {number[]} lost */
function nearest(venue, lost) {
  const middle = (/** @type {Float32Array} */ axis) =>
    lost.reduce((sum, seat) => sum + axis[seat], 0) / lost.length;
  const [x, y] = [middle(venue.x), middle(venue.y)];
  const sections = new Set(lost.map((seat) => venue.section[seat]));
  const price = Math.max(...lost.map((seat) => venue.seats[seat].seat_price));
  return (/** @type {number} */ seat) =>
    Math.hypot(venue.x[seat] - x, venue.y[seat] - y) +
    (sections.has(venue.section[seat]) ? 0 : OTHER_SECTION) +
    (venue.seats[seat].seat_price > price ? DEARER : 0);
}

/**
 * What to offer instead of the seats that were lost: at most `choices` sets of as many seats each,
 * the nearest first; neighbours where there are any, no seat in two sets.
 * @param {Venue} venue @param {number[]} lost @param {Suits} suits free, and not chosen already
 * @returns {number[][]}
 */
export function instead(venue, lost, suits, choices = 3) {
  if (lost.length === 0) return [];
  const cost = nearest(venue, lost);
  /** @type {{run: Int32Array, cost: number}[]} */
  const runs = [];
  eachRun(venue, lost.length, suits, (run) => {
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
  const loose = closest(venue, lost, lost.length, suits);
  return loose ? [loose] : [];
}
