// @ts-check
/** Shows which picked seats another buyer took, and offers the nearest free ones. */
import { announce } from '../lib/announce.js';
import { $, el, setChildren, setVisible } from '../lib/dom.js';
import { money, t } from '../lib/text.js';
import { nearestSets } from './near.js';
import { seatNames } from './names.js';

/**
 * Shows the lost seats and the offers.
 * @param {import('./choice.js').Choice} choice
 * @param {number[]} lost
 * @param {{take: (seats: number[]) => void, look: (seats: number[]) => void}} handlers
 * @param {boolean} asked whether the buyer just tried to hold the seats; then the first offer gets the focus
 */
export function showLostSeats(choice, lost, handlers, asked) {
  const { venue } = choice;
  const host = $('#rival');
  const namesOf = (/** @type {number[]} */ seats) => seatNames(seats.map((seat) => venue.seats[seat]));
  const sets = nearestSets(venue, lost, (seat) => choice.isSelectable(seat));
  const close = () => setVisible(host, false);
  const offers = sets.map((seats) => {
    const price = seats.reduce((sum, seat) => sum + venue.seats[seat].seat_price, 0);
    const take = () => {
      close();
      handlers.take(seats);
    };
    return el(
      'li',
      null,
      el(
        'button',
        { type: 'button', class: 'offer', on: { click: take, focus: () => handlers.look(seats), mouseenter: () => handlers.look(seats) } },
        el('span', null, namesOf(seats)),
        el('b', null, money(price)),
      ),
    );
  });
  const text = t('seats.rival', { seats: namesOf(lost), n: lost.length });
  setChildren(
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
  setVisible(host, true);
  if (asked) $('.offer', host)?.focus();
  const first = sets[0] ? t('seats.rival.nearest', { seats: namesOf(sets[0]) }) : t('seats.rival.none');
  announce(`${text} ${first}`, { urgent: true });
}

/** Hides the notice. */
export const hideLostSeats = () => setVisible($('#rival'), false);
