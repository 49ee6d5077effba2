// @ts-check
/** The balance, charging it, and every change of it. */
import { toast } from '../lib/announce.js';
import { chargeForm } from '../lib/charge.js';
import { $, el, fill, say, set, show } from '../lib/dom.js';
import { onsale } from '../lib/session.js';
import { errorText, number, points, t, time } from '../lib/text.js';

/** What is proposed to be charged. */
const PROPOSED = 100_000;
/** Changes on a further page. */
const MORE = 50;

export class Purse {
  constructor() {
    /** @type {string | null} */
    this.cursor = null;
    this.onChanged = () => {};
    const again = () => this.onChanged();
    fill($('#charge'), chargeForm({ amount: PROPOSED, charged: again, unsure: again }));
    $('#history-more').addEventListener('click', () => this.#more());
  }

  /** @param {{amount: number}} balance @param {import('../onsale.js').List} history */
  show({ amount }, { items, next_cursor }) {
    say($('#balance'), points(amount));
    fill($('#history'), items.map(row));
    show($('#history-part'), items.length > 0);
    this.#next(next_cursor);
  }

  /** @param {string | null} cursor */
  #next(cursor) {
    this.cursor = cursor;
    show($('#history-more'), cursor !== null);
  }

  async #more() {
    const button = $('#history-more');
    set(button, 'aria-disabled', 'true');
    try {
      const { items, next_cursor } = await onsale.pointHistory({ limit: MORE, cursor: this.cursor });
      $('#history').append(...items.map(row));
      this.#next(next_cursor);
    } catch (error) {
      toast(errorText(error), { error: true });
    } finally {
      set(button, 'aria-disabled', null);
    }
  }
}

/** @param {any} change */
function row({ kind, amount, balance_after, created_at }) {
  const sign = amount > 0 ? '+' : amount < 0 ? '−' : '';
  return el(
    'tr',
    null,
    el('td', null, time(created_at, 'day')),
    el('td', null, t(`me.points.${kind}`)),
    el('td', { class: amount > 0 ? 'number good' : 'number' }, `${sign}${number(Math.abs(amount))}`),
    el('td', { class: 'number' }, number(balance_after)),
  );
}
