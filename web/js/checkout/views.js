// @ts-check
/** The checkout's views, one for each of its states. */
import { msUntil } from '../lib/clock.js';
import { MAX_CHARGE } from '../lib/charge.js';
import { el, svg } from '../lib/dom.js';
import { countdown, errorText, money, points, t, time } from '../lib/text.js';
import { isolate, seatName } from '../seats/names.js';
import { isPaymentPending } from './pay.js';

/** @typedef {import('../checkout.js').Details} Details */

/** Icons as SVG paths: done, expired, released. */
const ICONS = {
  done: 'M5 12.5l4.5 4.5L19 7.5',
  time: 'M12 7v5l3 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18',
  back: 'M9 14L4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3',
};

/** @param {keyof typeof ICONS} name @param {string} [kind] */
function mark(name, kind = '') {
  const icon = svg('svg', { viewBox: '0 0 24 24' }, svg('path', { d: ICONS[name] }));
  return el('p', { class: `mark ${kind}`, 'aria-hidden': 'true' }, icon);
}

const heading = (/** @type {string} */ text) => el('h1', { tabindex: -1 }, text);

/** @param {Details} details */
const mapOf = ({ hold }) => `/schedules/${hold.reservations[0].schedule_id}/seats`;

/** A page without a hold. @param {string} title @param {...HTMLElement} parts */
const without = (title, ...parts) => el('div', { class: 'narrow stack' }, heading(title), ...parts);

/** @param {() => void} act @param {string} text */
const button = (act, text) => el('p', null, el('button', { type: 'button', class: 'button', on: { click: act } }, text));

/** @param {unknown} error @param {() => void} [again] */
export function failed(error, again) {
  return without(
    t('checkout.title'),
    el('p', { class: 'note note-warn', role: 'status' }, errorText(error)),
    again ? button(again, t('common.retry')) : el('p', { class: 'faint' }, t('checkout.again')),
  );
}

/** @param {() => void} go */
export function signIn(go) {
  return without(t('checkout.signin'), el('p', { class: 'lead' }, t('checkout.signin.why')), button(go, t('common.signin.yes')));
}

/** The hold does not exist or belongs to another user. The page does not reveal which. */
export function notFound() {
  return without(
    t('checkout.absent'),
    el('p', { class: 'lead' }, t('checkout.absent.why')),
    el(
      'p',
      { class: 'buttons' },
      el('a', { class: 'button', href: '/me' }, t('checkout.mine')),
      el('a', { class: 'button quiet', href: '/' }, t('common.home')),
    ),
  );
}

/** Names a seat. @param {Details} details @param {import('../onsale/types.d.ts').Reservation} reservation */
function nameOf({ labels }, { seat_id, seat_number }) {
  const label = labels.get(seat_id);
  return label ? seatName(label) : t('checkout.seat', { seat: String(seat_number) });
}

/** A list of terms and values. @param {string[][]} rows @param {string | null} [kind] */
const facts = (rows, kind = null) =>
  el(
    'dl',
    { class: kind },
    rows.map(([term, value]) => el('div', null, el('dt', null, term), el('dd', { class: 'figure' }, value))),
  );

/** The order: the concert, its date, each seat with its price. @param {Details} details @param {string} total label of the sum */
function order(details, total) {
  const { hold, schedule, concert } = details;
  const rows = hold.reservations.map((one) =>
    el('li', null, el('span', { dir: 'auto' }, nameOf(details, one)), el('b', { class: 'figure' }, money(one.amount))),
  );
  return el(
    'section',
    { class: 'card order', 'aria-labelledby': 'order-title' },
    el('h2', { id: 'order-title', dir: 'auto' }, concert?.title ?? t('checkout.order')),
    schedule && el('p', { class: 'order-when' }, time(schedule.concert_at)),
    el('ul', { class: 'order-seats' }, rows),
    el('p', { class: 'order-total' }, el('span', null, total), el('b', { class: 'figure' }, money(hold.total_amount))),
  );
}

/** @param {Details} details */
function timeLeft({ hold }) {
  const all = Date.parse(hold.expires_at) - Date.parse(hold.reservations[0].reservation_at);
  const left = msUntil(hold.expires_at);
  return el(
    'section',
    { id: 'time', class: 'card time', 'aria-label': t('checkout.left') },
    el('p', null, el('b', { id: 'left', class: 'figure' }, countdown(left)), el('span', null, t('checkout.left'))),
    el('progress', { id: 'left-bar', max: Math.max(1, all), value: Math.max(0, left), 'aria-label': t('checkout.left') }),
    el('p', { class: 'faint' }, t('checkout.until', { time: time(hold.expires_at, 'exact') })),
  );
}

/** How many points are missing; 0 if the balance is unknown. @param {Details} details */
export const missingFor = ({ hold, balance }) => (balance === null ? 0 : Math.max(0, hold.total_amount - balance));

/** @param {Details} details */
function purse(details) {
  const { hold, balance } = details;
  const missing = missingFor(details);
  const rows = [[t('checkout.balance'), balance === null ? t('common.unknown') : points(balance)]];
  if (balance !== null) rows.push([t('checkout.after'), points(Math.max(0, balance - hold.total_amount))]);
  return el(
    'section',
    { class: 'card purse', 'aria-labelledby': 'purse-title' },
    el('h2', { id: 'purse-title' }, t('checkout.purse')),
    facts(rows),
    missing > 0 && el('p', { class: 'note note-warn' }, t('checkout.short', { points: points(missing) })),
    missing > MAX_CHARGE &&
      el('p', null, t('checkout.short.much', { points: points(MAX_CHARGE) }), ' ', el('a', { href: '/me' }, t('checkout.mine'))),
  );
}

/**
 * The view of seats that wait for payment.
 * @param {Details} details @param {{paying: boolean, unsure: boolean}} payState
 * @param {{pay: () => void, giveBack: () => void}} on
 */
export function waiting(details, payState, on) {
  const { hold } = details;
  // Until it is known whether it was paid, the balance is unknown too.
  const now = { ...details, balance: payState.unsure ? null : details.balance };
  const missing = missingFor(now);
  const price = money(hold.total_amount);
  const trouble = payState.unsure ? t('checkout.unsure') : isPaymentPending(hold.hold_id) && !payState.paying ? t('checkout.begun') : '';
  const pay = el(
    'button',
    {
      id: 'pay',
      type: 'button',
      class: 'button large wide',
      'aria-disabled': payState.paying || missing > MAX_CHARGE ? 'true' : null,
      on: { click: () => missing <= MAX_CHARGE && on.pay() },
    },
    payState.paying
      ? t('checkout.paying')
      : missing > 0
        ? t('checkout.charge.pay', { points: points(missing), price })
        : t('checkout.pay', { price }),
  );
  const back = el(
    'button',
    { type: 'button', class: 'button plain', disabled: payState.paying, on: { click: on.giveBack } },
    t('checkout.back', { n: hold.reservations.length }),
  );
  return el(
    'div',
    { class: 'checkout' },
    el('p', { class: 'back' }, el('a', { href: mapOf(details) }, t('checkout.map.back'))),
    heading(t('checkout.title')),
    el(
      'div',
      { class: 'checkout-parts' },
      el('div', null, timeLeft(details), order(details, t('checkout.total'))),
      el(
        'div',
        null,
        purse(now),
        el('p', { id: 'trouble', class: 'trouble', role: 'status' }, trouble),
        pay,
        el('p', { class: 'faint center' }, t(missing > 0 ? 'checkout.charge.once' : 'checkout.once')),
        el('p', { class: 'center' }, back),
      ),
    ),
  );
}

/** The receipt. @param {Details} details */
export function receipt(details) {
  const { hold, balance, payments, charged } = details;
  const paidAt = payments[0]?.payment_at;
  const ids = payments.map(({ id }) => `#${id}`).join(', ');
  const rows = [
    paidAt && [t('checkout.receipt.at'), time(paidAt, 'full')],
    ids && [t('checkout.receipt.number'), ids],
    charged > 0 && [t('checkout.receipt.charged'), points(charged)],
    balance !== null && [t('checkout.balance'), points(balance)],
  ].filter((row) => Array.isArray(row));
  const gone = hold.reservations.filter((one) => one.status === 'REFUNDED').length;
  return el(
    'div',
    { class: 'narrow checkout receipt' },
    mark('done', 'mark-good'),
    heading(t('checkout.paid')),
    el('p', { class: 'lead' }, t('checkout.paid.lead')),
    gone > 0 && el('p', { class: 'note' }, t('checkout.receipt.refunded', { n: gone })),
    order(details, t('checkout.paid.total')),
    facts(rows, 'card receipt-facts'),
    el(
      'p',
      { class: 'buttons' },
      el('a', { class: 'button', href: '/me' }, t('checkout.mine')),
      el('button', { type: 'button', class: 'button quiet', on: { click: () => print() } }, t('checkout.print')),
      el('a', { class: 'button plain', href: mapOf(details) }, t('checkout.map')),
    ),
  );
}

/** The view of a hold that expired, was released or was refunded. @param {Details} details */
export function ended(details) {
  const { hold } = details;
  const key = { EXPIRED: 'expired', CANCELLED: 'cancelled', REFUNDED: 'refunded' }[/** @type {string} */ (hold.status)] ?? 'expired';
  const seats = hold.reservations.map((one) => el('li', { dir: 'auto' }, nameOf(details, one)));
  const title = details.concert ? el('p', { class: 'order-when', dir: 'auto' }, isolate(details.concert.title)) : null;
  return el(
    'div',
    { class: 'narrow checkout ended' },
    mark(key === 'expired' ? 'time' : 'back'),
    heading(t(`checkout.end.${key}`)),
    el('p', { class: 'lead' }, t(`checkout.end.${key}.why`, { time: time(hold.expires_at, 'exact') })),
    el('div', { class: 'card' }, title, el('ul', { class: 'ended-seats' }, seats)),
    el(
      'p',
      { class: 'buttons' },
      el('a', { class: 'button', href: mapOf(details) }, t('checkout.map')),
      el('a', { class: 'button quiet', href: '/me' }, t('checkout.mine')),
    ),
  );
}
