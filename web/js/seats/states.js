// @ts-check
/**
 * What every seat's state is, and how it changes. Pure: no document, no network.
 */
import { states as decode } from '../onsale.js';

export const AVAILABLE = 0;
export const HELD = 1;
export const GONE = 2;

/** @type {Record<string, number>} */
const NAMED = { AVAILABLE, HELD, UNAVAILABLE: GONE };

/**
 * @typedef {{version: string, layout_version: number, status: string}} Whole two bits per seat
 * @typedef {{version: string, since: string, seats: {id: number, status: string}[]}} Changes
 */

/**
 * The states of a venue's seats, and how many are free where.
 */
export class States {
  /** @param {import('./venue.js').Venue} venue */
  constructor(venue) {
    this.venue = venue;
    this.of = new Uint8Array(venue.count);
    this.version = '';
    /** Free seats of each section, of each band, and of all. */
    this.inSection = new Int32Array(venue.sections.length);
    this.inBand = new Int32Array(venue.bands.length);
    this.free = 0;
    this.seatOf = new Map(venue.seats.map((seat, index) => [seat.id, index]));
    this.#count();
  }

  /**
   * Takes the whole in, and tells which seats changed.
   * @param {Whole} whole @returns {number[]}
   */
  load(whole) {
    const states = decode(whole.status, this.venue.count);
    const changed = [];
    for (let seat = 0; seat < states.length; seat++) {
      if (states[seat] !== this.of[seat]) changed.push(seat);
    }
    this.of = states;
    this.version = whole.version;
    this.#count();
    return changed;
  }

  /**
   * Takes changes in, and tells which seats are now otherwise. Null where these changes do not
   * follow what is known here: then the whole is to be loaded.
   * @param {Changes} changes @returns {number[] | null}
   */
  apply(changes) {
    if (changes.since !== this.version) return null;
    const changed = [];
    for (const { id, status } of changes.seats) {
      const seat = this.seatOf.get(id);
      const state = NAMED[status];
      if (seat === undefined || state === undefined) return null;
      if (this.set(seat, state)) changed.push(seat);
    }
    this.version = changes.version;
    return changed;
  }

  /**
   * Whether it was otherwise before.
   * @param {number} seat @param {number} state
   */
  set(seat, state) {
    const before = this.of[seat];
    if (before === state) return false;
    this.of[seat] = state;
    const change = Number(state === AVAILABLE) - Number(before === AVAILABLE);
    this.#free(seat, change);
    return true;
  }

  /** @param {number} seat */
  isFree(seat) {
    return this.of[seat] === AVAILABLE;
  }

  #count() {
    this.inSection.fill(0);
    this.inBand.fill(0);
    this.free = 0;
    for (let seat = 0; seat < this.of.length; seat++) {
      if (this.of[seat] === AVAILABLE) this.#free(seat, 1);
    }
  }

  /** @param {number} seat @param {number} change */
  #free(seat, change) {
    this.inSection[this.venue.section[seat]] += change;
    this.inBand[this.venue.band[seat]] += change;
    this.free += change;
  }
}
