// @ts-check
/**
 * Groups prices into bands, each with its colour. Uses no document and no network.
 *
 * @typedef {import('./venue.js').Seat} Seat
 * @typedef {{index: number, low: number, high: number, count: number}} Band seats of these prices
 */

/** Maximum number of bands. If there are more prices, several share a band. */
export const MAX_BANDS = 6;

/** The price bands, dearest first. @param {Seat[]} seats @returns {Band[]} */
export function priceBands(seats) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const { seat_price } of seats) counts.set(seat_price, (counts.get(seat_price) ?? 0) + 1);
  const prices = [...counts.keys()].sort((one, other) => other - one);
  const many = Math.min(prices.length, MAX_BANDS);
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

/** The band index of each seat. @param {Seat[]} seats @param {Band[]} bands */
export function bandOfEach(seats, bands) {
  return Uint8Array.from(seats, ({ seat_price }) => bands.findIndex(({ low }) => seat_price >= low));
}
