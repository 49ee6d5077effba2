// @ts-check
/**
 * Best available: how many, where, up to which price; shown first, or held at once. The service
 * chooses, by one rule for both; what it chose and the page showed is what is held.
 */
import { announce, toast } from '../lib/announce.js';
import { $, el, fill, say, set } from '../lib/dom.js';
import { onsale } from '../lib/session.js';
import { errorText, money, t } from '../lib/text.js';
import { seatNames } from './say.js';

/** Seats that the service may still take for free: it is told to leave out so many, the latest. */
const MOST_LOST = 100;

/**
 * @typedef {{quantity: number, section: string | null, max_price: number | null, exclude_prices?: number[][]}} Wish
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
  const wish = () => {
    const left_out = [...choice.hidden].sort((one, other) => one - other).map((band) => venue.bands[band]);
    return {
      quantity: Math.min(Math.max(1, Math.round(many.valueAsNumber) || 1), Math.max(1, most())),
      section: section.value === '' ? null : venue.sections[Number(section.value)].name,
      max_price: price.value === '' ? null : Number(price.value),
      ...(left_out.length > 0 && { exclude_prices: left_out.map(({ low, high }) => [low, high]) }),
    };
  };
  return { many, most, wish };
}

/**
 * @param {import('./choice.js').Choice} choice
 * @param {object} on
 * @param {number} on.schedule
 * @param {(seats: number[]) => void} on.shown these were chosen: shows and picks them
 * @param {(wanted: Wish | {seat_ids: number[]}) => void} on.hold
 * @returns {{lost: (seats: number[]) => boolean}} told of seats that somebody else has now: where they
 *   are of those that are shown as the best, others are asked for, and it is true
 */
export function bestAvailable(choice, { schedule, shown, hold }) {
  const { many, most, wish } = fields(choice);
  const button = $('#best-hold');
  /** What is shown as the best, and for which wish. @type {{wish: string, ids: number[]} | null} */
  let offer = null;
  /** Of this wish: seats that somebody else has, as far as the service may not know it yet. @type {number[]} */
  let lost = [];
  let asked = 0;

  const seatsOf = (/** @type {number[]} */ ids) => ids.flatMap((id) => choice.states.seatOf.get(id) ?? []);
  const forget = () => {
    offer = null;
    say($('#best-found'), '');
  };
  const refresh = () => {
    many.max = String(Math.max(1, most()));
    const { quantity } = wish();
    many.value = String(quantity);
    say(button, t('seats.best.hold', { n: quantity }));
    set(button, 'aria-disabled', choice.active && most() > 0 ? null : 'true');
    set($('#best-fewer'), 'disabled', quantity <= 1);
    set($('#best-more'), 'disabled', quantity >= most());
    if (offer && offer.wish !== JSON.stringify(wish())) forget();
  };
  /** Whether others were picked by hand since. What somebody else took is not given up. */
  const changed = () => {
    if (!offer || !choice.active) return false;
    const seats = seatsOf(offer.ids);
    const given_up = seats.some((seat) => !choice.picked.has(seat) && choice.states.isFree(seat));
    return given_up || [...choice.picked].some((seat) => !seats.includes(seat));
  };

  /** Asks for the best, and shows them. @param {string} [first] what to say before them */
  const show = async (first = '') => {
    const turn = ++asked;
    const wanted = wish();
    const key = JSON.stringify(wanted);
    const told = (/** @type {string} */ text) => {
      say($('#best-found'), text);
      announce(text, { urgent: first !== '', now: true });
    };
    try {
      const { seats } = await onsale.bestSeats(schedule, { ...wanted, except: lost });
      if (turn !== asked || key !== JSON.stringify(wish())) return;
      const found = seats.length > 0 ? t('seats.best.found', { seats: seatNames(seats) }) : t('seats.best.none', { n: wanted.quantity });
      const ids = seats.map(({ id }) => id);
      offer = seats.length > 0 ? { wish: key, ids } : null;
      if (offer) shown(seatsOf(ids));
      told([first, found].filter(Boolean).join(' '));
    } catch (error) {
      if (turn !== asked) return;
      offer = null;
      told([first, errorText(error)].filter(Boolean).join(' '));
    }
  };

  for (const [id, by] of /** @type {[string, number][]} */ ([['#best-fewer', -1], ['#best-more', 1]])) {
    $(id).addEventListener('click', () => {
      many.value = String(wish().quantity + by);
      refresh();
    });
  }
  for (const field of ['#best-many', '#best-section', '#best-price']) $(field).addEventListener('change', refresh);
  $('#best').addEventListener('submit', (event) => {
    event.preventDefault();
    if (button.getAttribute('aria-disabled') === 'true') return;
    // What is on its way would show others than those that are held.
    asked += 1;
    if (!offer) return hold(wish());
    choice.pickOnly(seatsOf(offer.ids));
    hold({ seat_ids: offer.ids });
  });
  $('#best-show').addEventListener('click', () => {
    lost = [];
    show();
  });
  choice.on('picks', () => {
    if (changed()) forget();
    refresh();
  });
  choice.on('filter', refresh);
  refresh();

  return {
    lost(seats) {
      const ids = seats.map((seat) => choice.venue.seats[seat].id);
      if (!offer || !ids.some((id) => offer?.ids.includes(id))) return false;
      lost = [...new Set([...lost, ...ids])].slice(-MOST_LOST);
      const text = t('seats.rival', { seats: seatNames(seats.map((seat) => choice.venue.seats[seat])), n: seats.length });
      toast(text, { error: true });
      show(text);
      return true;
    },
  };
}
