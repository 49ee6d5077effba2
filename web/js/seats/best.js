// @ts-check
/** Best available: how many, where, up to which price; shown first, or held at once. */
import { announce } from '../lib/announce.js';
import { $, el, fill, say, set } from '../lib/dom.js';
import { money, t } from '../lib/text.js';
import { best } from './near.js';
import { seatNames } from './say.js';

/**
 * @typedef {{quantity: number, section: string | null, max_price: number | null}} Wish
 */

/**
 * @param {import('./choice.js').Choice} choice
 * @param {{shown: (seats: number[]) => void, wanted: (wish: Wish) => void}} told
 */
export function bestAvailable(choice, told) {
  const { venue } = choice;
  const many = /** @type {HTMLInputElement} */ ($('#best-many'));
  const section = /** @type {HTMLSelectElement} */ ($('#best-section'));
  const price = /** @type {HTMLSelectElement} */ ($('#best-price'));
  const [show, hold] = [/** @type {HTMLButtonElement} */ ($('#best-show')), /** @type {HTMLButtonElement} */ ($('#best-hold'))];
  fill(
    section,
    el('option', { value: '' }, t('seats.best.anywhere')),
    venue.sections.map(({ name, index }) => el('option', { value: String(index) }, name)),
  );
  fill(
    price,
    el('option', { value: '' }, t('seats.best.any_price')),
    venue.bands.map(({ high }) => el('option', { value: String(high) }, t('seats.best.up_to', { price: money(high) }))),
  );
  const most = () => choice.limit - choice.mine.size;
  /** @returns {Wish} */
  const wish = () => ({
    quantity: Math.min(Math.max(1, Math.round(many.valueAsNumber) || 1), Math.max(1, most())),
    section: section.value === '' ? null : venue.sections[Number(section.value)].name,
    max_price: price.value === '' ? null : Number(price.value),
  });
  const refresh = () => {
    many.max = String(Math.max(1, most()));
    const { quantity } = wish();
    many.value = String(quantity);
    say(hold, t('seats.best.hold', { n: quantity }));
    const able = choice.active && most() > 0;
    set(hold, 'aria-disabled', able ? null : 'true');
    set($('#best-fewer'), 'disabled', quantity <= 1);
    set($('#best-more'), 'disabled', quantity >= most());
  };
  for (const [id, by] of /** @type {[string, number][]} */ ([['#best-fewer', -1], ['#best-more', 1]])) {
    $(id).addEventListener('click', () => {
      many.value = String(wish().quantity + by);
      refresh();
    });
  }
  many.addEventListener('change', refresh);
  $('#best').addEventListener('submit', (event) => {
    event.preventDefault();
    if (hold.getAttribute('aria-disabled') !== 'true') told.wanted(wish());
  });
  show.addEventListener('click', () => {
    const { quantity, section: within, max_price } = wish();
    const suits = (/** @type {number} */ seat) => {
      const one = venue.seats[seat];
      // What is picked already may be among the best.
      const open = choice.picked.has(seat) || choice.suits(seat);
      return open && (within === null || one.section === within) && (max_price === null || one.seat_price <= max_price);
    };
    const seats = best(venue, quantity, suits);
    const found = seats?.map((seat) => venue.seats[seat]);
    const text = found ? t('seats.best.found', { seats: seatNames(found) }) : t('seats.best.none', { n: quantity });
    say($('#best-found'), text);
    announce(text, { now: true });
    if (seats) told.shown(seats);
  });
  choice.on('picks', refresh);
  refresh();
}
