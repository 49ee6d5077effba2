// @ts-check
/**
 * What somebody chooses among the seats: picked seats, the filter, and what of it is lost to
 * others. Pure: no document, no network.
 */
import { MOST_BANDS } from './prices.js';
import { AVAILABLE, GONE, HELD, States } from './states.js';

/** Kinds of seats as they look: free ones by band, again where the filter leaves them out, others. */
export const LEFT_OUT = MOST_BANDS;
export const KIND_HELD = 2 * MOST_BANDS;
export const KIND_GONE = KIND_HELD + 1;
export const KIND_MINE = KIND_HELD + 2;
export const KIND_PICKED = KIND_HELD + 3;

/**
 * @typedef {'seats' | 'picks' | 'filter' | 'lost'} What `seats`: these look otherwise; `picks`:
 *   what is picked, or may be, changed; `filter`: what is left out; `lost`: these were picked, and
 *   somebody else has them
 */

export class Choice {
  /** @param {import('./venue.js').Venue} venue */
  constructor(venue) {
    this.venue = venue;
    this.states = new States(venue);
    this.kinds = new Uint8Array(venue.count);
    /** In the order of picking. @type {Set<number>} */
    this.picked = new Set();
    /** What the visitor holds or owns already. @type {Set<number>} */
    this.mine = new Set();
    /** Bands that are left out. @type {Set<number>} */
    this.hidden = new Set();
    /** As many seats one may have, what one has already included. */
    this.limit = 0;
    /** Whether seats can be picked now. */
    this.active = false;
    /** @type {Map<What, ((seats: number[]) => void)[]>} */
    this.listeners = new Map();
    this.#look([...this.kinds.keys()]);
  }

  /** @param {What} what @param {(seats: number[]) => void} listener */
  on(what, listener) {
    this.listeners.set(what, [...(this.listeners.get(what) ?? []), listener]);
  }

  /** @param {What} what @param {number[]} [seats] */
  #tell(what, seats = []) {
    this.listeners.get(what)?.forEach((listener) => listener(seats));
  }

  /** How many more can be picked. */
  get room() {
    return Math.max(0, this.limit - this.mine.size - this.picked.size);
  }

  /** What all that is picked costs. */
  get total() {
    return [...this.picked].reduce((sum, seat) => sum + this.venue.seats[seat].seat_price, 0);
  }

  /** Free, and not picked. @param {number} seat */
  isOpen(seat) {
    return this.states.of[seat] === AVAILABLE && !this.picked.has(seat);
  }

  /** Open, and not left out by the filter. @param {number} seat */
  suits(seat) {
    return this.isOpen(seat) && !this.hidden.has(this.venue.band[seat]);
  }

  /** @param {import('./states.js').Whole} whole */
  load(whole) {
    this.#changed(this.states.load(whole));
  }

  /** Whether these changes follow what is known. @param {import('./states.js').Changes} changes */
  apply(changes) {
    const changed = this.states.apply(changes);
    if (!changed) return false;
    this.#changed(changed);
    return true;
  }

  /** The service says that somebody has these. @param {number[]} seats */
  taken(seats) {
    this.#changed(seats.filter((seat) => this.states.set(seat, HELD) || this.picked.has(seat)));
  }

  /** @param {number[]} seats */
  #changed(seats) {
    const lost = seats.filter((seat) => this.picked.has(seat) && !this.states.isFree(seat));
    lost.forEach((seat) => this.picked.delete(seat));
    this.#look(seats);
    if (lost.length > 0) {
      this.#tell('picks');
      this.#tell('lost', lost);
    }
  }

  /**
   * Picks a seat, or gives it up.
   * @param {number} seat @returns {'picked' | 'given up' | 'full' | 'taken' | 'not now'}
   */
  toggle(seat) {
    if (!this.active) return 'not now';
    if (this.picked.delete(seat)) {
      this.#look([seat]);
      this.#tell('picks');
      return 'given up';
    }
    if (!this.states.isFree(seat)) return 'taken';
    if (this.room === 0) return 'full';
    this.picked.add(seat);
    this.#look([seat]);
    this.#tell('picks');
    return 'picked';
  }

  /** Picks these and nothing else. @param {number[]} seats */
  pickOnly(seats) {
    const before = [...this.picked];
    this.picked = new Set(seats);
    this.#look([...before, ...seats]);
    this.#tell('picks');
  }

  /** These are the visitor's own: held or paid. @param {Iterable<number>} seats */
  own(seats) {
    const before = [...this.mine];
    this.mine = new Set(seats);
    this.mine.forEach((seat) => this.picked.delete(seat));
    this.#look([...before, ...this.mine]);
    this.#tell('picks');
  }

  /** Whether seats can be picked, and how many one may have. @param {boolean} active @param {number} [limit] */
  allow(active, limit = this.limit) {
    if (active === this.active && limit === this.limit) return;
    this.active = active;
    this.limit = limit;
    this.#tell('picks');
  }

  /** Leaves a band out, or takes it in. @param {number} band @param {boolean} out */
  hide(band, out) {
    if (out) this.hidden.add(band);
    else this.hidden.delete(band);
    const { venue } = this;
    this.#look([...this.kinds.keys()].filter((seat) => venue.band[seat] === band));
    this.#tell('filter');
  }

  /** @param {number[]} seats */
  #look(seats) {
    const changed = seats.filter((seat) => {
      const before = this.kinds[seat];
      this.kinds[seat] = this.#kind(seat);
      return this.kinds[seat] !== before;
    });
    this.#tell('seats', changed);
  }

  /** @param {number} seat */
  #kind(seat) {
    if (this.mine.has(seat)) return KIND_MINE;
    if (this.picked.has(seat)) return KIND_PICKED;
    if (this.states.of[seat] === HELD) return KIND_HELD;
    if (this.states.of[seat] === GONE) return KIND_GONE;
    const band = this.venue.band[seat];
    return this.hidden.has(band) ? band + LEFT_OUT : band;
  }
}
