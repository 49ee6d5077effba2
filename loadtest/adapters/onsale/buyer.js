// A buyer of onsale, as scenarios see one.

import { fault, unexpectedAnswers } from '../../lib/invariants/metrics.js';
import { forge } from './forge.js';
import { idAt } from './users.js';

/** @import * as Types from './types.d.ts' */
/** @import { Buyer, Held, HoldAnswer, Paid, PayAnswer, Refusal, Turn, Wanted } from '../../lib/types.d.ts' */
/** @typedef {import('./client.js').Client} Client */

// Time after the end of a hold in which other buyers cannot have its seats.
const TAKEOVER_AFTER_MS = 5_000;

/** @type {Record<string, Refusal>} */
const REFUSALS = {
  seat_taken: 'seat_taken',
  not_enough_seats: 'not_enough_seats',
  ticket_not_active: 'not_active',
  hold_limit: 'over_limit',
  seat_limit_exceeded: 'over_limit',
  schedule_closed: 'closed',
};

/** @implements {Buyer} */
export class OnsaleBuyer {
  /** @param {Client} client @param {Types.OnsaleSale} sale */
  constructor(client, sale) {
    this.client = client;
    this.sale = sale;
    /** The hold whose key `grab` uses again. @type {{ key: string, works: boolean } | null} */
    this.used = null;
  }

  get id() {
    return this.client.id;
  }

  get patient() {
    return this.client.patient;
  }

  set patient(patient) {
    this.client.patient = patient;
  }

  join() {
    const answer = this.client.join(this.sale.schedule);
    if (answer.code === 'sold_out') return /** @type {const} */ ('sold_out');
    return answer.code === null ? turnOf(answer.body, answer.retryAfter, answer.status === 200) : null;
  }

  poll() {
    const answer = this.client.poll();
    return answer.code === null ? turnOf(answer.body, answer.retryAfter) : null;
  }

  leave() {
    this.client.leave();
  }

  /** The states of the seats. A tenth of the buyers load the whole map first, like a page that opens. */
  look() {
    if (!this.client.map && Math.random() < 0.1) this.client.seats(this.sale.schedule);
    return this.client.look(this.sale);
  }

  /** @param {Wanted} wanted @returns {HoldAnswer} */
  hold(wanted) {
    const { code, body } = this.client.hold(this.sale.schedule, this.request(wanted));
    return code === null ? { held: heldOf(body) } : { refused: REFUSALS[code] ?? 'other' };
  }

  /** @param {Wanted} wanted @returns {Types.WantedSeats} */
  request(wanted) {
    if ('numbers' in wanted) return { seat_ids: wanted.numbers.map((number) => idAt(this.sale.seatRuns, number)) };
    return { quantity: wanted.quantity, section: wanted.section ?? null, max_price: wanted.maxPrice ?? null };
  }

  /** @param {Held} held */
  release(held) {
    this.client.release(held.id);
  }

  /** @param {Held} held @param {{ twice: boolean }} how @returns {PayAnswer} */
  pay(held, { twice }) {
    this.client.charge(held.total);
    const key = this.client.newKey('pay');
    const paid = this.client.pay(held.id, key);
    if (paid.code !== null) return { refused: paid.code === 'hold_expired' ? 'too_late' : 'other' };
    if (twice) this.payAgain(held, key, paid);
    return { paid: { total: paid.body.total_amount, receipts: paid.body.payments.map(({ id }) => id) } };
  }

  /** @param {Held} held @param {string} key @param {Types.Answer<unknown>} first */
  payAgain(held, key, first) {
    const again = this.client.pay(held.id, key);
    if (again.text !== first.text || !again.replayed) {
      fault(unexpectedAnswers, `the same payment again: ${again.status} ${again.text}, first ${first.text}`);
    }
  }

  /** @param {Held} held */
  payWithoutMoney(held) {
    // A user of an earlier run may have points left, and can pay.
    const balance = this.client.points();
    if (balance.code !== null || balance.body.amount >= held.total) return true;
    return this.client.pay(held.id).code !== null;
  }

  /** @param {Paid} paid */
  refund(paid) {
    return this.client.refund(Number(paid.receipts[0])).code === null;
  }

  forge() {
    return forge(this.client, this.sale);
  }

  /** Tries to get more seats with a used key, and with connections closed right after sending. */
  grab() {
    const { schedule, seats, seatLimit } = this.sale;
    const some = (/** @type {number} */ quantity) => {
      const first = 1 + Math.floor(Math.random() * (seats - quantity + 1));
      return this.request({ numbers: Array.from({ length: quantity }, (_, index) => first + index) });
    };
    if (!this.used) {
      const key = this.client.newKey('used');
      this.used = { key, works: this.client.hold(schedule, this.request({ quantity: 1 }), key).code === null };
    }
    if (this.used.works) this.client.holdUnderUsedKey(schedule, some(Math.max(1, seatLimit - 1)), this.used.key);
    this.client.holdAndHangUp(schedule, some(seatLimit));
  }

  kept() {
    const waiting = this.client.reservations('PAYMENT_WAITING');
    const paid = this.client.reservations('COMPLETE');
    if (waiting.code !== null || paid.code !== null) return null;
    const now = Date.now();
    const ours = (/** @type {Types.Reservation} */ it) => it.schedule_id === this.sale.schedule;
    const live = waiting.body.items.filter((it) => ours(it) && Date.parse(it.expires_at) + TAKEOVER_AFTER_MS > now);
    return live.length + paid.body.items.filter(ours).length;
  }
}

/** @param {Types.Ticket} ticket @param {number | null} retryAfter @param {boolean} [repeated] @returns {Turn} */
function turnOf(ticket, retryAfter, repeated = false) {
  const states = /** @type {const} */ ({ WAITING: 'waiting', ACTIVE: 'active' });
  return {
    id: ticket.ticket_id,
    state: ticket.status === 'WAITING' || ticket.status === 'ACTIVE' ? states[ticket.status] : 'ended',
    position: ticket.position,
    ahead: ticket.ahead,
    order: ticket.sequence,
    unsettled: ticket.recovering,
    soldOut: ticket.phase === 'SOLD_OUT',
    askAgainMs: ticket.poll_after_ms || (retryAfter || 1) * 1000,
    repeated,
    says: ticket.status,
  };
}

/** @param {Types.Hold} hold @returns {Held} */
function heldOf(hold) {
  const seats = hold.reservations.map(({ seat_number: number, amount: price }) => ({ number, price }));
  return { id: hold.hold_id, seats, total: hold.total_amount };
}
