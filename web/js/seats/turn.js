// @ts-check
/** The buyer's turn and its end, polled while the page is open. */
import { msUntil } from '../lib/clock.js';
import { onSessionChange, onsale } from '../lib/session.js';
import { dropTicket, saveTicket, onTicketChange, loadTicket } from '../lib/ticket.js';

/**
 * @typedef {'none' | 'waiting' | 'active' | 'over' | 'unknown'} TurnState `none`: not in line;
 *   `unknown`: there is a ticket but no answer yet
 */

export class Turn {
  /** @param {number} schedule @param {() => void} changed */
  constructor(schedule, changed) {
    this.schedule = schedule;
    this.changed = changed;
    /** @type {TurnState} */
    this.state = 'none';
    /** @type {import('../onsale.js').Ticket | null} */
    this.ticket = null;
    /** @type {import('../onsale.js').Followed | null} */
    this.following = null;
    /** The followed ticket. @type {string | null} */
    this.token = null;
  }

  /** Starts polling. */
  start() {
    onTicketChange(this.schedule, () => this.#followTicket());
    onSessionChange(() => this.#followTicket());
    this.#followTicket();
  }

  /** When the active slot ends, or null. */
  get ends() {
    return this.state === 'active' ? (this.ticket?.active_expires_at ?? null) : null;
  }

  /** Polls at once. */
  refresh() {
    this.following?.nudge();
  }

  #followTicket() {
    const token = loadTicket(this.schedule);
    if (token !== null && token === this.token) return;
    this.following?.stop();
    this.following = null;
    this.token = token;
    if (token === null) {
      this.#setState('none', null);
      return;
    }
    this.#setState('unknown', null);
    // The map's stream is enough, since browsers open few connections to one host.
    this.following = onsale.follow(token, {
      stream: () => false,
      onTicket: (ticket) => this.#onTicket(ticket),
      onToken: (newer) => {
        this.token = newer;
        saveTicket(this.schedule, newer);
      },
      onEnd: () => {
        dropTicket(this.schedule);
        this.token = null;
        this.#setState('none', null);
      },
    });
  }

  /** @param {import('../onsale.js').Ticket} ticket */
  #onTicket(ticket) {
    /** @type {Record<string, TurnState>} */
    const states = { WAITING: 'waiting', ACTIVE: 'active' };
    this.#setState(states[ticket.status] ?? 'over', ticket);
  }

  /** @param {TurnState} state @param {import('../onsale.js').Ticket | null} ticket */
  #setState(state, ticket) {
    this.state = state;
    this.ticket = ticket;
    this.changed();
  }

  /** Once a second: polls when the slot ends. */
  tick() {
    if (this.ends && msUntil(this.ends) <= 0 && msUntil(this.ends) > -1500) this.refresh();
  }
}
