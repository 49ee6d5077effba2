// @ts-check
/** Somebody was faster: which seats they have now, and the nearest free ones to take instead. */
import { announce } from '../lib/announce.js';
import { $, el, fill, show } from '../lib/dom.js';
import { money, t } from '../lib/text.js';
import { instead } from './near.js';
import { seatNames } from './say.js';

/**
 * Tells what was lost, and offers others.
 * @param {import('./choice.js').Choice} choice
 * @param {number[]} lost
 * @param {{take: (seats: number[]) => void, look: (seats: number[]) => void}} told
 * @param {boolean} asked whether it answers what the visitor just did: then the focus goes there
 */
export function rival(choice, lost, told, asked) {
  const { venue } = choice;
  const host = $('#rival');
  const named = (/** @type {number[]} */ seats) => seatNames(seats.map((seat) => venue.seats[seat]));
  const sets = instead(venue, lost, (seat) => choice.suits(seat));
  const close = () => show(host, false);
  const offers = sets.map((seats) => {
    const price = seats.reduce((sum, seat) => sum + venue.seats[seat].seat_price, 0);
    const take = () => {
      close();
      told.take(seats);
    };
    return el(
      'li',
      null,
      el(
        'button',
        { type: 'button', class: 'offer', on: { click: take, focus: () => told.look(seats), mouseenter: () => told.look(seats) } },
        el('span', null, named(seats)),
        el('b', null, money(price)),
      ),
    );
  });
  const text = t('seats.rival', { seats: named(lost), n: lost.length });
  fill(
    host,
    el(
      'div',
      { class: 'rival-head' },
      el('p', { class: 'rival-what' }, text),
      el('button', { type: 'button', class: 'toast-close', 'aria-label': t('common.close'), on: { click: close } }, '×'),
    ),
    sets.length > 0 && el('p', { class: 'rival-offer' }, t('seats.rival.offer')),
    sets.length > 0 ? el('ul', { class: 'offers' }, offers) : el('p', null, t('seats.rival.none')),
  );
  show(host, true);
  if (asked) $('.offer', host)?.focus();
  const first = sets[0] ? t('seats.rival.nearest', { seats: named(sets[0]) }) : t('seats.rival.none');
  announce(`${text} ${first}`, { urgent: true });
}

/** There is nothing to tell any more. */
export const noRival = () => show($('#rival'), false);
