// @ts-check
/** The balance, the form that adds points, and the balance changes. */
import { toast } from '../lib/announce.js';
import { chargeForm } from '../lib/charge.js';
import { $, el, setChildren, setText, setAttribute, setVisible } from '../lib/dom.js';
import { onsale } from '../lib/session.js';
import { errorText, number, points, t, time } from '../lib/text.js';

/** The initial value of the form, in points. */
const PROPOSED_CHARGE = 100_000;
/** Balance changes on each further page. */
const MORE_PAGE_SIZE = 50;

export class Purse {
  constructor() {
    /** @type {string | null} */
    this.cursor = null;
    this.onChanged = () => {};
    const onCharged = () => this.onChanged();
    setChildren($('#charge'), chargeForm({ amount: PROPOSED_CHARGE, charged: onCharged, unsure: onCharged }));
    $('#history-more').addEventListener('click', () => this.#loadMore());
  }

  /** @param {{amount: number}} balance @param {import('./load.js').Account['history']} history */
  show({ amount }, { items, next_cursor }) {
    setText($('#balance'), points(amount));
    setChildren($('#history'), items.map(row));
    setVisible($('#history-part'), items.length > 0);
    this.#setCursor(next_cursor);
  }

  /** @param {string | null} cursor */
  #setCursor(cursor) {
    this.cursor = cursor;
    setVisible($('#history-more'), cursor !== null);
  }

  async #loadMore() {
    const button = $('#history-more');
    setAttribute(button, 'aria-disabled', 'true');
    try {
      const { items, next_cursor } = await onsale.pointHistory({ limit: MORE_PAGE_SIZE, cursor: this.cursor });
      $('#history').append(...items.map(row));
      this.#setCursor(next_cursor);
    } catch (error) {
      toast(errorText(error), { error: true });
    } finally {
      setAttribute(button, 'aria-disabled', null);
    }
  }
}

/** @param {import('../onsale/types.d.ts').BalanceChange} change */
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
