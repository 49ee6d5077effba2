// @ts-check
/**
 * Prices in bands, each with a colour of its own. Pure.
 *
 * @typedef {import('./venue.js').Seat} Seat
 * @typedef {{index: number, low: number, high: number, count: number}} Band seats of these prices
 */

/** As many bands; more prices than that share them. */
export const MOST_BANDS = 6;

/** The prices, dearest first; neighbours share a band where there are too many. @param {Seat[]} seats @returns {Band[]} */
export function priceBands(seats) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const { seat_price } of seats) counts.set(seat_price, (counts.get(seat_price) ?? 0) + 1);
  const prices = [...counts.keys()].sort((one, other) => other - one);
  const many = Math.min(prices.length, MOST_BANDS);
  /** @type {Band[]} */
  const bands = [];
  for (let index = 0; index < many; index++) {
    const from = Math.floor((prices.length * index) / many);
    const own = prices.slice(from, Math.floor((prices.length * (index + 1)) / many));
    const count = own.reduce((sum, price) => sum + (counts.get(price) ?? 0), 0);
    bands.push({ index, low: own[own.length - 1], high: own[0], count });
  }
  return bands;
}

/** The band of each seat. @param {Seat[]} seats @param {Band[]} bands */
export function bandOfEach(seats, bands) {
  return Uint8Array.from(seats, ({ seat_price }) => bands.findIndex(({ low }) => seat_price >= low));
}
