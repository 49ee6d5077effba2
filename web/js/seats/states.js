// @ts-check
/**
 * The states of all seats and their changes. Uses no document and no network.
 */
import { states as decode } from '../onsale.js';

/** @import * as Api from '../onsale/types.d.ts' */

export const AVAILABLE = 0;
export const HELD = 1;
export const GONE = 2;

/** @type {Record<string, number>} */
const STATE_BY_NAME = { AVAILABLE, HELD, UNAVAILABLE: GONE };

/**
 * @typedef {Api.SeatBits} FullStatus two bits per seat
 * @typedef {Api.SeatChanges} StatusChanges
 */

/**
 * The states of a venue's seats, and the numbers of free seats.
 */
export class States {
  /** @param {import('./venue.js').Venue} venue */
  constructor(venue) {
    this.venue = venue;
    /** @type {Uint8Array} */
    this.states = new Uint8Array(venue.count);
    this.version = '';
    /** Numbers of free seats per section, per band, and in total. */
    this.freeInSection = new Int32Array(venue.sections.length);
    this.freeInBand = new Int32Array(venue.bands.length);
    this.free = 0;
    this.seatById = new Map(venue.seats.map((seat, index) => [seat.id, index]));
    this.#countFree();
  }

  /**
   * Loads a full status. Returns the seats that changed.
   * @param {FullStatus} full @returns {number[]}
   */
  load(full) {
    const states = decode(full.status, this.venue.count);
    const changed = [];
    for (let seat = 0; seat < states.length; seat++) {
      if (states[seat] !== this.states[seat]) changed.push(seat);
    }
    this.states = states;
    this.version = full.version;
    this.#countFree();
    return changed;
  }

  /**
   * Applies changes. Returns the seats that changed, or null if the changes do not follow the known
   * version; then the full status must be loaded.
   * @param {StatusChanges} changes @returns {number[] | null}
   */
  apply(changes) {
    if (changes.since !== this.version) return null;
    const changed = [];
    for (const { id, status } of changes.seats) {
      const seat = this.seatById.get(id);
      const state = STATE_BY_NAME[status];
      if (seat === undefined || state === undefined) return null;
      if (this.set(seat, state)) changed.push(seat);
    }
    this.version = changes.version;
    return changed;
  }

  /**
   * Sets a seat's state. Returns whether it changed.
   * @param {number} seat @param {number} state
   */
  set(seat, state) {
    const before = this.states[seat];
    if (before === state) return false;
    this.states[seat] = state;
    const change = Number(state === AVAILABLE) - Number(before === AVAILABLE);
    this.#addFree(seat, change);
    return true;
  }

  /** @param {number} seat */
  isFree(seat) {
    return this.states[seat] === AVAILABLE;
  }

  #countFree() {
    this.freeInSection.fill(0);
    this.freeInBand.fill(0);
    this.free = 0;
    for (let seat = 0; seat < this.states.length; seat++) {
      if (this.states[seat] === AVAILABLE) this.#addFree(seat, 1);
    }
  }

  /** @param {number} seat @param {number} change */
  #addFree(seat, change) {
    this.freeInSection[this.venue.section[seat]] += change;
    this.freeInBand[this.venue.band[seat]] += change;
    this.free += change;
  }
}
