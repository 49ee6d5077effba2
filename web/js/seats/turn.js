// @ts-check
/** Whether it is one's turn, and for how long: asked for again and again while the page is open. */
import { until } from '../lib/clock.js';
import { onSession, onsale } from '../lib/session.js';
import { dropTicket, keepTicket, onTicket, ticketOf } from '../lib/ticket.js';

/**
 * @typedef {'none' | 'waiting' | 'active' | 'over' | 'unknown'} Standing `none`: not in line;
 *   `unknown`: there is a ticket, and no answer yet
 */

export class Turn {
  /** @param {number} schedule @param {() => void} changed */
  constructor(schedule, changed) {
    this.schedule = schedule;
    this.changed = changed;
    /** @type {Standing} */
    this.standing = 'none';
    /** @type {import('../onsale.js').Ticket | null} */
    this.ticket = null;
    /** @type {import('../onsale.js').Followed | null} */
    this.following = null;
    /** The ticket that is followed. @type {string | null} */
    this.token = null;
  }

  /** Asks from now on. */
  start() {
    onTicket(this.schedule, () => this.#begin());
    onSession(() => this.#begin());
    this.#begin();
  }

  /** The end of the slot as the service told it, or null. */
  get ends() {
    return this.standing === 'active' ? (this.ticket?.active_expires_at ?? null) : null;
  }

  /** Asks at once. */
  ask() {
    this.following?.nudge();
  }

  #begin() {
    const token = ticketOf(this.schedule);
    if (token !== null && token === this.token) return;
    this.following?.stop();
    this.following = null;
    this.token = token;
    if (token === null) {
      this.#stand('none', null);
      return;
    }
    this.#stand('unknown', null);
    // One stream, the map's, is enough: browsers open few connections to one host.
    this.following = onsale.follow(token, {
      stream: () => false,
      onTicket: (ticket) => this.#heard(ticket),
      onToken: (kept) => {
        this.token = kept;
        keepTicket(this.schedule, kept);
      },
      onEnd: () => {
        dropTicket(this.schedule);
        this.token = null;
        this.#stand('none', null);
      },
    });
  }

  /** @param {import('../onsale.js').Ticket} ticket */
  #heard(ticket) {
    /** @type {Record<string, Standing>} */
    const known = { WAITING: 'waiting', ACTIVE: 'active' };
    this.#stand(known[ticket.status] ?? 'over', ticket);
  }

  /** @param {Standing} standing @param {import('../onsale.js').Ticket | null} ticket */
  #stand(standing, ticket) {
    this.standing = standing;
    this.ticket = ticket;
    this.changed();
  }

  /** To be called every second: the end is asked about when it comes. */
  tick() {
    if (this.ends && until(this.ends) <= 0 && until(this.ends) > -1500) this.ask();
  }
}
