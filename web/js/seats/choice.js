// @ts-check
/**
 * The buyer's choice: the picked seats, the price filter, and picked seats lost to other buyers. Uses
 * no document and no network.
 */
import { MAX_BANDS } from './prices.js';
import { AVAILABLE, GONE, HELD, States } from './states.js';

/** How seats look: free seats by price band, excluded free seats by band plus `EXCLUDED`, and other kinds. */
export const EXCLUDED = MAX_BANDS;
export const KIND_HELD = 2 * MAX_BANDS;
export const KIND_GONE = KIND_HELD + 1;
export const KIND_MINE = KIND_HELD + 2;
export const KIND_PICKED = KIND_HELD + 3;

/**
 * @typedef {'seats' | 'picks' | 'filter' | 'lost'} Topic `seats`: these seats look different now; `picks`:
 *   the picked seats, or the right to pick, changed; `filter`: the price filter changed; `lost`: another
 *   buyer took these picked seats
 */

export class Choice {
  /** @param {import('./venue.js').Venue} venue */
  constructor(venue) {
    this.venue = venue;
    this.states = new States(venue);
    this.kinds = new Uint8Array(venue.count);
    /** Picked seats, in the order of picking. @type {Set<number>} */
    this.picked = new Set();
    /** Seats that the buyer holds or owns. @type {Set<number>} */
    this.mine = new Set();
    /** Price bands that the filter excludes. @type {Set<number>} */
    this.hidden = new Set();
    /** Maximum number of seats for one buyer, including those they hold or own. */
    this.limit = 0;
    /** Whether seats can be picked now. */
    this.active = false;
    /** @type {Map<Topic, ((seats: number[]) => void)[]>} */
    this.listeners = new Map();
    this.#updateKinds([...this.kinds.keys()]);
  }

  /** @param {Topic} topic @param {(seats: number[]) => void} listener */
  on(topic, listener) {
    this.listeners.set(topic, [...(this.listeners.get(topic) ?? []), listener]);
  }

  /** @param {Topic} topic @param {number[]} [seats] */
  #emit(topic, seats = []) {
    this.listeners.get(topic)?.forEach((listener) => listener(seats));
  }

  /** How many more seats can be picked. */
  get remaining() {
    return Math.max(0, this.limit - this.mine.size - this.picked.size);
  }

  /** The price of all picked seats. */
  get total() {
    return [...this.picked].reduce((sum, seat) => sum + this.venue.seats[seat].seat_price, 0);
  }

  /** Whether a seat is free and not picked. @param {number} seat */
  isOpen(seat) {
    return this.states.states[seat] === AVAILABLE && !this.picked.has(seat);
  }

  /** Whether a seat is open and not excluded by the filter. @param {number} seat */
  isSelectable(seat) {
    return this.isOpen(seat) && !this.hidden.has(this.venue.band[seat]);
  }

  /** @param {import('./states.js').FullStatus} whole */
  load(whole) {
    this.#onStatesChanged(this.states.load(whole));
  }

  /** Applies changes. Returns false if they do not follow the known version. @param {import('./states.js').StatusChanges} changes */
  apply(changes) {
    const changed = this.states.apply(changes);
    if (!changed) return false;
    this.#onStatesChanged(changed);
    return true;
  }

  /** Marks seats that the service reported as taken. @param {number[]} seats */
  markTaken(seats) {
    this.#onStatesChanged(seats.filter((seat) => this.states.set(seat, HELD) || this.picked.has(seat)));
  }

  /** @param {number[]} seats */
  #onStatesChanged(seats) {
    const lost = seats.filter((seat) => this.picked.has(seat) && !this.states.isFree(seat));
    lost.forEach((seat) => this.picked.delete(seat));
    this.#updateKinds(seats);
    if (lost.length > 0) {
      this.#emit('picks');
      this.#emit('lost', lost);
    }
  }

  /**
   * Picks a seat, or removes it if it is picked.
   * @param {number} seat @returns {'picked' | 'removed' | 'full' | 'taken' | 'not now'}
   */
  toggle(seat) {
    if (!this.active) return 'not now';
    if (this.picked.delete(seat)) {
      this.#updateKinds([seat]);
      this.#emit('picks');
      return 'removed';
    }
    if (!this.states.isFree(seat)) return 'taken';
    if (this.remaining === 0) return 'full';
    this.picked.add(seat);
    this.#updateKinds([seat]);
    this.#emit('picks');
    return 'picked';
  }

  /** Picks exactly these seats. @param {number[]} seats */
  pickOnly(seats) {
    const before = [...this.picked];
    this.picked = new Set(seats);
    this.#updateKinds([...before, ...seats]);
    this.#emit('picks');
  }

  /** Sets the seats that the buyer holds or owns. @param {Iterable<number>} seats */
  setOwn(seats) {
    const before = [...this.mine];
    this.mine = new Set(seats);
    this.mine.forEach((seat) => this.picked.delete(seat));
    this.#updateKinds([...before, ...this.mine]);
    this.#emit('picks');
  }

  /** Sets whether seats can be picked, and the limit. @param {boolean} active @param {number} [limit] */
  setAllowed(active, limit = this.limit) {
    if (active === this.active && limit === this.limit) return;
    this.active = active;
    this.limit = limit;
    this.#emit('picks');
  }

  /** Excludes a price band, or includes it again. @param {number} band @param {boolean} hidden */
  setBandHidden(band, hidden) {
    if (hidden) this.hidden.add(band);
    else this.hidden.delete(band);
    const { venue } = this;
    this.#updateKinds([...this.kinds.keys()].filter((seat) => venue.band[seat] === band));
    this.#emit('filter');
  }

  /** @param {number[]} seats */
  #updateKinds(seats) {
    const changed = seats.filter((seat) => {
      const before = this.kinds[seat];
      this.kinds[seat] = this.#kindOf(seat);
      return this.kinds[seat] !== before;
    });
    this.#emit('seats', changed);
  }

  /** @param {number} seat */
  #kindOf(seat) {
    if (this.mine.has(seat)) return KIND_MINE;
    if (this.picked.has(seat)) return KIND_PICKED;
    if (this.states.states[seat] === HELD) return KIND_HELD;
    if (this.states.states[seat] === GONE) return KIND_GONE;
    const band = this.venue.band[seat];
    return this.hidden.has(band) ? band + EXCLUDED : band;
  }
}
