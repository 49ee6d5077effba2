// @ts-check
/**
 * The form for the best available seats: how many, in which section, up to which price. The seats are
 * previewed first or held at once. The service chooses them, by the same rule in both cases. After a
 * preview, exactly the previewed seats are held.
 */
import { announce, toast } from '../lib/announce.js';
import { $, el, setChildren, setText, setAttribute } from '../lib/dom.js';
import { onsale } from '../lib/session.js';
import { errorText, money, t } from '../lib/text.js';
import { seatNames } from './names.js';

/** Maximum number of lost seats that a preview excludes, the latest ones. */
const MAX_EXCEPT = 100;

/**
 * @typedef {import('../onsale/types.d.ts').BestSeatsWish} Wish
 */

/** Fills the form's fields. `wish` reads them. @param {import('./choice.js').Choice} choice */
function readForm(choice) {
  const { venue } = choice;
  const many = /** @type {HTMLInputElement} */ ($('#best-many'));
  const section = /** @type {HTMLSelectElement} */ ($('#best-section'));
  const price = /** @type {HTMLSelectElement} */ ($('#best-price'));
  setChildren(
    section,
    el('option', { value: '' }, t('seats.best.anywhere')),
    venue.sections.map(({ name, index }) => el('option', { value: String(index) }, name)),
  );
  setChildren(
    price,
    el('option', { value: '' }, t('seats.best.any_price')),
    venue.bands.map(({ high }) => el('option', { value: String(high) }, t('seats.best.up_to', { price: money(high) }))),
  );
  const maxSeats = () => choice.limit - choice.mine.size;
  /** @returns {Wish} */
  const wish = () => {
    const excluded = [...choice.hidden].sort((one, other) => one - other).map((band) => venue.bands[band]);
    return {
      quantity: Math.min(Math.max(1, Math.round(many.valueAsNumber) || 1), Math.max(1, maxSeats())),
      section: section.value === '' ? null : venue.sections[Number(section.value)].name,
      max_price: price.value === '' ? null : Number(price.value),
      ...(excluded.length > 0 && { exclude_prices: excluded.map(({ low, high }) => [low, high]) }),
    };
  };
  return { many, maxSeats, wish };
}

/**
 * @param {import('./choice.js').Choice} choice
 * @param {object} how
 * @param {number} how.schedule
 * @param {(seats: number[]) => void} how.onFound shows and picks the seats of a preview
 * @param {(wanted: Wish | {seat_ids: number[]}) => void} how.hold
 * @returns {{onLost: (seats: number[]) => boolean}} to be called with seats that another buyer took. If
 *   they belong to the preview, it shows the next best seats and returns true
 */
export function setUpBestAvailable(choice, { schedule, onFound, hold }) {
  const { many, maxSeats, wish } = readForm(choice);
  const button = $('#best-hold');
  /** The previewed seats, and the wish they were found for. @type {{wish: string, ids: number[]} | null} */
  let offer = null;
  /** Seats that another buyer took since this preview began. @type {number[]} */
  let lost = [];
  let requests = 0;

  const seatsOf = (/** @type {number[]} */ ids) => ids.flatMap((id) => choice.states.seatById.get(id) ?? []);
  const clearOffer = () => {
    offer = null;
    setText($('#best-found'), '');
  };
  const refresh = () => {
    many.max = String(Math.max(1, maxSeats()));
    const { quantity } = wish();
    many.value = String(quantity);
    setText(button, t('seats.best.hold', { n: quantity }));
    setAttribute(button, 'aria-disabled', choice.active && maxSeats() > 0 ? null : 'true');
    setAttribute($('#best-fewer'), 'disabled', quantity <= 1);
    setAttribute($('#best-more'), 'disabled', quantity >= maxSeats());
    if (offer && offer.wish !== JSON.stringify(wish())) clearOffer();
  };
  /** Whether the buyer has changed the previewed seats by hand. A seat that another buyer took does not count. */
  const isChangedByHand = () => {
    if (!offer || !choice.active) return false;
    const seats = seatsOf(offer.ids);
    const removed = seats.some((seat) => !choice.picked.has(seat) && choice.states.isFree(seat));
    return removed || [...choice.picked].some((seat) => !seats.includes(seat));
  };

  /** Loads the best seats and shows them. @param {string} [first] a text to show before them */
  const preview = async (first = '') => {
    const request = ++requests;
    const wanted = wish();
    const key = JSON.stringify(wanted);
    const showResult = (/** @type {string} */ text) => {
      setText($('#best-found'), text);
      announce(text, { urgent: first !== '', now: true });
    };
    try {
      const { seats } = await onsale.bestSeats(schedule, { ...wanted, except: lost });
      if (request !== requests || key !== JSON.stringify(wish())) return;
      const found = seats.length > 0 ? t('seats.best.found', { seats: seatNames(seats) }) : t('seats.best.none', { n: wanted.quantity });
      const ids = seats.map(({ id }) => id);
      offer = seats.length > 0 ? { wish: key, ids } : null;
      if (offer) onFound(seatsOf(ids));
      showResult([first, found].filter(Boolean).join(' '));
    } catch (error) {
      if (request !== requests) return;
      offer = null;
      showResult([first, errorText(error)].filter(Boolean).join(' '));
    }
  };

  for (const [id, by] of /** @type {[string, number][]} */ ([
    ['#best-fewer', -1],
    ['#best-more', 1],
  ])) {
    $(id).addEventListener('click', () => {
      many.value = String(wish().quantity + by);
      refresh();
    });
  }
  for (const field of ['#best-many', '#best-section', '#best-price']) $(field).addEventListener('change', refresh);
  $('#best').addEventListener('submit', (event) => {
    event.preventDefault();
    if (button.getAttribute('aria-disabled') === 'true') return;
    // A preview that is still loading must not replace the seats that are held now.
    requests += 1;
    if (!offer) return hold(wish());
    choice.pickOnly(seatsOf(offer.ids));
    hold({ seat_ids: offer.ids });
  });
  $('#best-show').addEventListener('click', () => {
    lost = [];
    preview();
  });
  choice.on('picks', () => {
    if (isChangedByHand()) clearOffer();
    refresh();
  });
  choice.on('filter', refresh);
  refresh();

  return {
    onLost(seats) {
      const ids = seats.map((seat) => choice.venue.seats[seat].id);
      if (!offer || !ids.some((id) => offer?.ids.includes(id))) return false;
      lost = [...new Set([...lost, ...ids])].slice(-MAX_EXCEPT);
      const text = t('seats.rival', { seats: seatNames(seats.map((seat) => choice.venue.seats[seat])), n: seats.length });
      toast(text, { error: true });
      preview(text);
      return true;
    },
  };
}
