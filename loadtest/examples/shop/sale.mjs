// One sale of the example shop: a queue in order of arrival, and seats that are held and then sold. Everything
// is in memory. FAULTS are mistakes that real shops make; the load tests must find each of them.

/** @typedef {'oversell' | 'jump' | 'lose' | 'overfill' | 'forget' | 'refuse' | 'miscount' | 'trust' | 'generous'} Fault */

/** What each fault does. @type {Record<Fault, string>} */
export const FAULTS = {
  oversell: 'looks whether seats are free, waits, then takes them: two buyers can get one seat',
  jump: 'lets every tenth buyer join at the front',
  lose: 'now and then forgets a waiting buyer',
  overfill: 'admits twice as many buyers as the capacity',
  forget: 'confirms every third payment without recording it',
  refuse: 'says that no seats are left while there are',
  miscount: 'counts every payment twice in its revenue',
  trust: 'does not check the signature of tickets',
  generous: 'does not limit the seats of a buyer',
};

/**
 * @typedef {object} Plan
 * @property {number} seats
 * @property {number} capacity largest number of active buyers
 * @property {number} admit_per_second
 * @property {number} active_seconds how long a buyer may stay active
 * @property {number} hold_seconds
 * @property {number} seat_limit most seats of one buyer
 * @property {number} opens_in_seconds
 *
 * @typedef {{ id: string, buyer: string, order: number, state: 'waiting' | 'active' | 'ended', until: number }} Entry
 * @typedef {{ id: string, buyer: string, numbers: number[], until: number, receipts: string[] | null }} Hold
 */

const PRICE = 50_000;
const FREE = 0;
const HELD = 1;
const SOLD = 2;
const RACE_MS = 20;

/** A refusal, with its HTTP status. */
export class Refusal extends Error {
  /** @param {number} status @param {string} code */
  constructor(status, code) {
    super(code);
    this.status = status;
  }
}

export class Sale {
  /** @param {Plan} plan @param {Set<Fault>} faults */
  constructor(plan, faults) {
    this.plan = plan;
    this.faults = faults;
    this.opensAt = Date.now() + plan.opens_in_seconds * 1000;
    /** The states of the seats; index 0 is seat 1. */
    this.seats = new Uint8Array(plan.seats);
    /** In order of their numbers. @type {Entry[]} */
    this.waiting = [];
    /** @type {Map<string, Entry>} */
    this.entries = new Map();
    /** @type {Map<string, Entry>} */
    this.entryOf = new Map();
    /** @type {Map<string, Hold>} */
    this.holds = new Map();
    /** The records: one line for each sold seat. @type {{ seat: number, buyer: string, price: number }[]} */
    this.ledger = [];
    this.revenue = 0;
    this.active = 0;
    this.sequence = 0;
    this.joins = 0;
    this.payments = 0;
    this.refusals = 0;
    this.admittedUntil = Date.now();
  }

  /** @param {string} buyer */
  join(buyer) {
    const before = this.entryOf.get(buyer);
    if (before && before.state !== 'ended') return { entry: before, repeated: true };
    if (this.isSoldOut()) throw new Refusal(409, 'sold_out');
    this.joins += 1;
    this.sequence += 1;
    const jumps = this.faults.has('jump') && this.joins % 10 === 0;
    const order = jumps ? -this.sequence : this.sequence;
    /** @type {Entry} */
    const entry = { id: `entry-${this.sequence}`, buyer, order, state: 'waiting', until: 0 };
    if (jumps) this.waiting.unshift(entry);
    else this.waiting.push(entry);
    this.entries.set(entry.id, entry);
    this.entryOf.set(buyer, entry);
    return { entry, repeated: false };
  }

  /** @param {Entry} entry */
  poll(entry) {
    if (this.faults.has('lose') && entry.state === 'waiting' && Math.random() < 0.05) this.end(entry);
    return entry;
  }

  /** Number of entries ahead of a waiting entry. @param {Entry} entry */
  ahead(entry) {
    let low = 0;
    let high = this.waiting.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.waiting[middle].order < entry.order) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {Entry} entry */
  end(entry) {
    if (entry.state === 'active') this.active -= 1;
    if (entry.state === 'waiting') this.waiting.splice(this.ahead(entry), 1);
    entry.state = 'ended';
  }

  /** Ends what is over, and admits whose turn it is. Called several times a second. @param {number} now */
  tick(now) {
    for (const hold of this.holds.values()) {
      if (!hold.receipts && hold.until <= now) this.release(hold);
    }
    for (const entry of this.entries.values()) {
      if (entry.state === 'active' && entry.until <= now) this.end(entry);
    }
    const capacity = this.plan.capacity * (this.faults.has('overfill') ? 2 : 1);
    const interval = 1000 / this.plan.admit_per_second;
    this.admittedUntil = Math.max(this.admittedUntil, this.opensAt, now - 1000);
    while (this.admittedUntil + interval <= now && this.active < capacity && this.waiting.length > 0 && !this.isSoldOut()) {
      this.admittedUntil += interval;
      const entry = /** @type {Entry} */ (this.waiting.shift());
      entry.state = 'active';
      entry.until = now + this.plan.active_seconds * 1000;
      this.active += 1;
    }
  }

  isSoldOut() {
    return this.seats.every((state) => state === SOLD);
  }

  /** Seats that a buyer holds or has bought. @param {string} buyer */
  kept(buyer) {
    let kept = this.ledger.filter((line) => line.buyer === buyer).length;
    for (const hold of this.holds.values()) kept += hold.buyer === buyer && !hold.receipts ? hold.numbers.length : 0;
    return kept;
  }

  /** Holds all the wanted seats, or none. @param {Entry} entry @param {{ numbers?: number[], quantity?: number }} wanted */
  async hold(entry, { numbers, quantity }) {
    if (entry.state !== 'active') throw new Refusal(403, 'not_active');
    const count = numbers?.length ?? quantity ?? 0;
    if (!this.faults.has('generous') && this.kept(entry.buyer) + count > this.plan.seat_limit) throw new Refusal(422, 'over_limit');
    const isFree = (/** @type {number} */ number) => this.seats[number - 1] === FREE;
    const chosen = numbers ?? this.best(count);
    this.refusals += 1;
    const lies = this.faults.has('refuse') && !numbers && this.refusals % 2 === 0;
    if (!chosen || lies) throw new Refusal(409, 'not_enough_seats');
    if (!chosen.every(isFree)) throw new Refusal(409, 'seat_taken');
    // A shop that awaits its database between the look and the take must take conditionally.
    if (this.faults.has('oversell')) await new Promise((resolve) => setTimeout(resolve, RACE_MS));
    for (const number of chosen) this.seats[number - 1] = HELD;
    this.sequence += 1;
    const until = Date.now() + this.plan.hold_seconds * 1000;
    /** @type {Hold} */
    const hold = { id: `hold-${this.sequence}`, buyer: entry.buyer, numbers: chosen, until, receipts: null };
    this.holds.set(hold.id, hold);
    return { hold: hold.id, seats: chosen.map((number) => ({ number, price: PRICE })), total: PRICE * chosen.length };
  }

  /** The first free seats, or null if there are too few. @param {number} quantity */
  best(quantity) {
    const free = [];
    for (let seat = 0; seat < this.seats.length && free.length < quantity; seat += 1) {
      if (this.seats[seat] === FREE) free.push(seat + 1);
    }
    return free.length === quantity && quantity > 0 ? free : null;
  }

  /** @param {Hold} hold */
  release(hold) {
    for (const number of hold.numbers) {
      if (this.seats[number - 1] === HELD) this.seats[number - 1] = FREE;
    }
    this.holds.delete(hold.id);
  }

  /** Sells the seats of a hold. A repeat gets the same answer. @param {Hold} hold */
  pay(hold) {
    const total = PRICE * hold.numbers.length;
    if (hold.receipts) return { total, receipts: hold.receipts };
    this.payments += 1;
    hold.receipts = hold.numbers.map((number) => `receipt-${hold.id}-${number}`);
    const isForgotten = this.faults.has('forget') && this.payments % 3 === 0;
    for (const seat of hold.numbers) {
      this.seats[seat - 1] = isForgotten ? FREE : SOLD;
      if (!isForgotten) this.ledger.push({ seat, buyer: hold.buyer, price: PRICE });
    }
    if (!isForgotten) this.revenue += total * (this.faults.has('miscount') ? 2 : 1);
    const entry = this.entryOf.get(hold.buyer);
    if (entry) this.end(entry);
    return { total, receipts: hold.receipts };
  }

  figures() {
    const count = (/** @type {number} */ wanted) => this.seats.filter((state) => state === wanted).length;
    const [free, held, sold] = [FREE, HELD, SOLD].map(count);
    return { waiting: this.waiting.length, active: this.active, free, held, sold, total: this.seats.length };
  }

  books() {
    return { ...this.figures(), owned: this.ledger, payments: this.ledger.length, revenue: this.revenue };
  }
}
