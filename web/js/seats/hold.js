// @ts-check
/** Holds seats, and explains why if that fails. */
import { toast } from '../lib/announce.js';
import { OnsaleError } from '../onsale.js';
import { onsale } from '../lib/session.js';
import { withIdempotencyKey } from '../lib/store.js';
import { errorText, t } from '../lib/text.js';
import { dropTicket, loadTicket } from '../lib/ticket.js';
import { saveLabels } from './labels.js';

/**
 * @typedef {object} Context
 * @property {number} schedule
 * @property {import('./choice.js').Choice} choice
 * @property {import('./bar.js').Bar} bar
 * @property {import('./turn.js').Turn} turn
 * @property {() => Promise<void>} refresh loads the seats that the buyer holds or owns
 * @property {(seats: number[], asked: boolean) => void} onLost called with seats that another buyer took;
 *   `asked`: whether the buyer just tried to hold them
 */

export class SeatHolder {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    /** Picked seats that are no longer free. Perhaps this buyer holds them, in another tab. @type {number[]} */
    this.unconfirmed = [];
    context.choice.on('lost', (seats) => this.#onLost(seats));
  }

  /** @param {number[]} seats */
  #onLost(seats) {
    this.unconfirmed.push(...seats);
    if (!this.context.bar.busy) this.#reportLost(false);
  }

  /** Reports seats that another buyer took. Seats that this buyer holds in another tab are not lost. @param {boolean} asked */
  async #reportLost(asked) {
    await this.context.refresh().catch(() => {});
    const lost = [...new Set(this.unconfirmed)].filter((seat) => !this.context.choice.mine.has(seat));
    this.unconfirmed = [];
    if (lost.length > 0) this.context.onLost(lost, asked);
  }

  /**
   * Holds seats, then opens the checkout.
   * @param {{seat_ids: number[]} | import('./best.js').Wish} wanted
   */
  async hold(wanted) {
    const { schedule, bar } = this.context;
    const ticket = loadTicket(schedule);
    if (bar.busy || ticket === null) return;
    bar.setBusy(true);
    try {
      // One key per wish: trying again after a lost answer gets the same seats.
      const wish = `hold.${schedule}.${JSON.stringify(wanted)}`;
      const held = await withIdempotencyKey(wish, (key) => onsale.hold(schedule, wanted, { ticket, key }));
      const { states, venue } = this.context.choice;
      saveLabels(held.reservations.flatMap(({ seat_id }) => venue.seats[states.seatById.get(seat_id) ?? -1] ?? []));
      // They are held now and no longer picked, so the stream does not report them as lost.
      this.context.choice.pickOnly([]);
      location.assign(`/holds/${held.hold_id}`);
    } catch (error) {
      await this.#handleRefusal(OnsaleError.from(error));
      bar.setBusy(false);
    }
  }

  /** @param {OnsaleError} error */
  async #handleRefusal(error) {
    const { choice, turn } = this.context;
    if (error.code === 'seat_taken') {
      choice.markTaken((error.seat_ids ?? []).flatMap((id) => choice.states.seatById.get(id) ?? []));
      await this.#reportLost(true);
      return;
    }
    if (error.code === 'ticket_not_yours') {
      // The ticket belongs to another user. The waiting page finds the current user's.
      dropTicket(this.context.schedule);
      location.assign(`/schedules/${this.context.schedule}/wait`);
      return;
    }
    if (error.code === 'ticket_not_active' || error.status === 401) turn.refresh();
    const text = error.code === 'seat_limit_exceeded' ? t('seats.notice.full', { n: error.limit ?? choice.limit }) : errorText(error);
    toast(error.passing && error.status !== 429 ? `${text} ${t('seats.unsure')}` : text, { error: true });
    await this.#reportLost(true);
  }
}
