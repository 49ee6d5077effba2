// @ts-check
/** Holding what was picked, and what to say where it did not come to that. */
import { toast } from '../lib/announce.js';
import { onsale } from '../lib/session.js';
import { once } from '../lib/store.js';
import { errorText, t } from '../lib/text.js';
import { dropTicket, ticketOf } from '../lib/ticket.js';
import { remember } from './labels.js';

/**
 * @typedef {object} Page what taking seats touches
 * @property {number} schedule
 * @property {import('./choice.js').Choice} choice
 * @property {import('./bar.js').Bar} bar
 * @property {import('./turn.js').Turn} turn
 * @property {() => Promise<void>} refresh looks up what the visitor has already
 * @property {(seats: number[], asked: boolean) => void} beaten somebody else has these; `asked`: as the
 *   answer to trying to hold them
 */

export class Taking {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    /** Picked seats that changed while it was not known whose they are. @type {number[]} */
    this.doubtful = [];
    page.choice.on('lost', (seats) => this.#lost(seats));
  }

  /** @param {number[]} seats */
  #lost(seats) {
    this.doubtful.push(...seats);
    if (!this.page.bar.busy) this.#tell(false);
  }

  /** Tells of what others have: what the visitor has taken in another tab is no loss. @param {boolean} asked */
  async #tell(asked) {
    await this.page.refresh().catch(() => {});
    const lost = [...new Set(this.doubtful)].filter((seat) => !this.page.choice.mine.has(seat));
    this.doubtful = [];
    if (lost.length > 0) this.page.beaten(lost, asked);
  }

  /**
   * Holds seats, and goes on to pay them.
   * @param {{seat_ids: number[]} | import('./best.js').Wish} wanted
   */
  async hold(wanted) {
    const { schedule, bar } = this.page;
    const ticket = ticketOf(schedule);
    if (bar.busy || ticket === null) return;
    bar.working(true);
    try {
      // One key for one wish: whoever asks again after a lost answer gets the same seats.
      const wish = `hold.${schedule}.${JSON.stringify(wanted)}`;
      const held = await once(wish, (key) => onsale.hold(schedule, wanted, { ticket, key }));
      const { states, venue } = this.page.choice;
      remember(held.reservations.flatMap(({ seat_id }) => venue.seats[states.seatOf.get(seat_id) ?? -1] ?? []));
      // They are held now, and no longer picked: what the stream says of them is no loss.
      this.page.choice.pickOnly([]);
      location.assign(`/holds/${held.hold_id}`);
    } catch (error) {
      await this.#refused(error);
      bar.working(false);
    }
  }

  /** @param {any} error */
  async #refused(error) {
    const { choice, turn } = this.page;
    if (error.code === 'seat_taken') {
      const seats = error.seat_ids.map((/** @type {number} */ id) => choice.states.seatOf.get(id));
      choice.taken(seats.filter((/** @type {number | undefined} */ seat) => seat !== undefined));
      await this.#tell(true);
      return;
    }
    if (error.code === 'ticket_not_yours') {
      // Not the place of whoever is signed in now: the waiting page finds theirs.
      dropTicket(this.page.schedule);
      location.assign(`/schedules/${this.page.schedule}/wait`);
      return;
    }
    if (error.code === 'ticket_not_active' || error.status === 401) turn.ask();
    const text = error.code === 'seat_limit_exceeded' ? t('seats.told.full', { n: error.limit }) : errorText(error);
    toast(error.passing && error.status !== 429 ? `${text} ${t('seats.unsure')}` : text, { error: true });
    await this.#tell(true);
  }
}
