// A buyer of any shop whose every answer is checked and counted.

import { sleep } from 'k6';
import * as checks from './checks.js';
import * as metrics from './metrics.js';

/** @import * as Types from '../types.d.ts' */

// A map may be this old.
const MAP_AGE_SECONDS = 1.2;

/** Wraps a shop's buyer. It has the same steps; the checks are in between. */
export class CheckedBuyer {
  /** @param {Types.Buyer} buyer @param {string} [kind] the kind of buyer, for the report */
  constructor(buyer, kind = 'ordinary') {
    this.buyer = buyer;
    this.kind = kind;
    /** The last answer about the entry. @type {Types.Turn | null} */
    this.turn = null;
    /** The map that the buyer saw last, and when. */
    this.map = { states: new Uint8Array(0), at: 0 };
    this.joinedAt = 0;
    this.heldAt = 0;
  }

  get id() {
    return this.buyer.id;
  }

  /** @param {keyof typeof metrics.crowd} what @param {number} [count] */
  count(what, count = 1) {
    metrics.crowd[what].add(count, { kind: this.kind });
  }

  /** Joins, or joins again, which must return the same entry. */
  join() {
    this.count('calls');
    this.joinedAt = this.joinedAt || Date.now();
    const answer = this.buyer.join();
    if (answer === null || answer === 'sold_out') return answer;
    checks.compareJoins(this.turn, answer);
    return this.keep(answer);
  }

  poll() {
    this.count('calls');
    const answer = this.buyer.poll();
    return answer && this.keep(answer);
  }

  /** Waits as long as the shop asked for, and polls. */
  next() {
    sleep((this.turn?.askAgainMs ?? 1000) / 1000);
    return this.poll();
  }

  /** @param {Types.Turn} turn */
  keep(turn) {
    checks.compareTurns(this.turn, turn);
    if (turn.state === 'active' && this.turn?.state !== 'active') {
      const ms = Date.now() - this.joinedAt;
      metrics.waited.add(ms);
      metrics.crowdWaited.add(ms, { kind: this.kind });
      this.count('admitted');
    }
    this.turn = turn;
    return turn;
  }

  leave() {
    this.count('calls');
    this.buyer.leave();
  }

  look() {
    this.count('calls');
    this.map = { states: Uint8Array.from(this.buyer.look()), at: Date.now() };
    return this.map.states;
  }

  /** Holds seats. A refusal of any free seats is compared with the map. @param {Types.Wanted} wanted */
  hold(wanted) {
    this.count('calls');
    const answer = this.buyer.hold(wanted);
    if (answer.held) {
      checks.checkHold(answer.held, wanted);
      this.heldAt = Date.now();
      metrics.seatsHeld.add(answer.held.seats.length);
      this.count('held', answer.held.seats.length);
      return answer;
    }
    metrics.refusals[answer.refused]?.add(1);
    const isAny = 'quantity' in wanted && wanted.section === undefined && wanted.maxPrice === undefined;
    if (answer.refused === 'not_enough_seats' && isAny) this.doubtRefusal(wanted.quantity);
    return answer;
  }

  /** @param {number} quantity */
  doubtRefusal(quantity) {
    const before = this.map;
    if (before.at === 0) return;
    sleep(MAP_AGE_SECONDS);
    this.look();
    checks.checkRefusal(before, this.map, quantity);
  }

  /** @param {Types.Held} held */
  release(held) {
    this.count('calls');
    this.buyer.release(held);
  }

  /**
   * Pays a hold. Returns what was paid, or null if the hold had ended.
   * @param {Types.Held} held @param {{ unpreparedly?: boolean, twice?: boolean }} [how] `unpreparedly` first tries without money
   */
  pay(held, { unpreparedly = false, twice = false } = {}) {
    this.count('calls');
    if (unpreparedly && this.buyer.payWithoutMoney) {
      if (this.buyer.payWithoutMoney(held)) metrics.refusals.no_money.add(1);
      else metrics.fault(metrics.sumsDiffer, `${this.id} paid ${JSON.stringify(held)} without money`);
    }
    const { paid } = this.buyer.pay(held, { twice });
    if (!paid) return null;
    metrics.checkout.add(Date.now() - this.heldAt);
    if (paid.total !== held.total || paid.receipts.length !== held.seats.length) {
      metrics.fault(metrics.sumsDiffer, `held ${JSON.stringify(held)}, paid ${JSON.stringify(paid)}`);
    }
    metrics.seatsPaid.add(paid.receipts.length);
    metrics.paidSeatsMissing.add(paid.receipts.length);
    this.count('bought', paid.receipts.length);
    return paid;
  }

  /** Gives one paid seat back, where the shop takes seats back. @param {Types.Paid} paid */
  refund(paid) {
    if (!this.buyer.refund?.(paid)) return;
    this.count('calls');
    metrics.seatsRefunded.add(1);
    metrics.paidSeatsMissing.add(-1);
  }

  /** Sends forged tickets, none of which may be accepted. */
  forge() {
    this.count('calls');
    for (const what of this.buyer.forge?.() ?? []) metrics.fault(metrics.forgeryAccepted, `${this.id}: ${what}`);
  }

  /** Tries to keep more seats from others than allowed. @param {number} limit */
  grab(limit) {
    this.count('calls');
    this.buyer.grab?.();
    const kept = this.buyer.kept?.() ?? null;
    if (kept !== null) checks.checkKept(this.id, kept, limit);
  }
}
