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

/** The fields of the form, and what they come to. @param {import('./choice.js').Choice} choice */
function fields(choice) {
  const { venue } = choice;
  const many = /** @type {HTMLInputElement} */ ($('#best-many'));
  const section = /** @type {HTMLSelectElement} */ ($('#best-section'));
  const price = /** @type {HTMLSelectElement} */ ($('#best-price'));
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
  return { many, most, wish };
}

/** The best of a wish now, or null. @param {import('./choice.js').Choice} choice @param {Wish} wish */
function bestOf(choice, { quantity, section, max_price }) {
  const { venue } = choice;
  return best(venue, quantity, (seat) => {
    const one = venue.seats[seat];
    // What is picked already may be among the best.
    const open = choice.picked.has(seat) || choice.suits(seat);
    return open && (section === null || one.section === section) && (max_price === null || one.seat_price <= max_price);
  });
}

/**
 * @param {import('./choice.js').Choice} choice
 * @param {{shown: (seats: number[]) => void, wanted: (wish: Wish) => void, exactly: (seats: number[]) => void}} told
 */
export function bestAvailable(choice, told) {
  const { many, most, wish } = fields(choice);
  const hold = $('#best-hold');
  const refresh = () => {
    many.max = String(Math.max(1, most()));
    const { quantity } = wish();
    many.value = String(quantity);
    say(hold, t('seats.best.hold', { n: quantity }));
    set(hold, 'aria-disabled', choice.active && most() > 0 ? null : 'true');
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
    if (hold.getAttribute('aria-disabled') === 'true') return;
    // The service knows best what is free, but not which prices are left out here.
    if (choice.hidden.size === 0) told.wanted(wish());
    else found(told.exactly);
  });
  const found = (/** @type {(seats: number[]) => void} */ then) => {
    const seats = bestOf(choice, wish());
    const named = seats?.map((seat) => choice.venue.seats[seat]);
    const text = named ? t('seats.best.found', { seats: seatNames(named) }) : t('seats.best.none', { n: wish().quantity });
    say($('#best-found'), text);
    announce(text, { now: true });
    if (seats) then(seats);
  };
  $('#best-show').addEventListener('click', () => found(told.shown));
  choice.on('picks', refresh);
  refresh();
}
