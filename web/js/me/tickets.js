// @ts-check
/** Elements for tickets, holds and payments. */
import { msUntil } from '../lib/clock.js';
import { el } from '../lib/dom.js';
import { groupBy } from '../lib/lists.js';
import { countdown, money, t, time } from '../lib/text.js';
import { seatName } from '../seats/names.js';

/** @typedef {import('./load.js').Account} Account */
/** @typedef {import('../onsale/types.d.ts').Reservation} Reservation */

/** Names a seat. @param {Account} account @param {Reservation} reservation */
export function seatOf({ labels }, { seat_id, seat_number }) {
  const label = labels.get(seat_id);
  return label ? seatName(label) : t('me.seat', { seat: String(seat_number) });
}

/** @param {Account} account @param {Reservation} reservation */
const titleOf = ({ concerts }, { concert_id }) => concerts.get(concert_id)?.title ?? t('me.concert', { n: String(concert_id) });

/** Holds that wait for payment. @param {Account} account */
export function holds(account) {
  const waiting = account.reservations.filter(({ status, expires_at }) => status === 'PAYMENT_WAITING' && msUntil(expires_at) > 0);
  return [...groupBy(waiting, ({ hold_id }) => hold_id).values()].map((seats) => {
    const [{ hold_id, expires_at }] = seats;
    return el(
      'article',
      { class: 'card me-hold' },
      el(
        'div',
        null,
        el('h3', { dir: 'auto' }, titleOf(account, seats[0])),
        el('p', { class: 'faint' }, seats.map((one) => seatOf(account, one)).join(', ')),
      ),
      el(
        'p',
        { class: 'me-left' },
        el('b', { class: 'figure', dataset: { until: expires_at } }, countdown(msUntil(expires_at))),
        el('span', null, t('me.left')),
      ),
      el('a', { class: 'button', href: `/holds/${hold_id}` }, t('me.pay')),
    );
  });
}

/** Paid seats, one card per date. @param {Account} account @param {(account: Account, reservation: Reservation) => void} refund */
export function tickets(account, refund) {
  const paid = account.reservations.filter(({ status }) => status === 'COMPLETE');
  return [...groupBy(paid, ({ schedule_id }) => schedule_id).values()].map((seats) => {
    const schedule = account.schedules.get(seats[0].schedule_id);
    const open = schedule && msUntil(schedule.deadline_at) > 0;
    return el(
      'article',
      { class: 'card ticket-card' },
      el(
        'header',
        null,
        el('h3', { dir: 'auto' }, titleOf(account, seats[0])),
        schedule && el('p', { class: 'ticket-when' }, time(schedule.concert_at)),
      ),
      el(
        'ul',
        { class: 'stubs' },
        seats
          .sort((one, other) => one.seat_number - other.seat_number)
          // A seat given for free has no payment.
          .map((one) => stub(account, one, open && account.paymentOf.has(one.id) ? () => refund(account, one) : null)),
      ),
      schedule && el('p', { class: 'faint' }, t(open ? 'me.refund.until' : 'me.refund.closed', { time: time(schedule.deadline_at) })),
    );
  });
}

/** @param {Account} account @param {Reservation} reservation @param {(() => void) | null} refund */
function stub(account, reservation, refund) {
  const seat = seatOf(account, reservation);
  const label = account.labels.get(reservation.seat_id);
  return el(
    'li',
    { class: 'stub' },
    el(
      'div',
      { class: 'stub-seat' },
      el('p', { class: 'stub-place', dir: 'auto' }, label ? t('me.place', { section: label.section, row: label.row }) : ''),
      el('p', { class: 'stub-number figure' }, t('me.seat', { seat: String(reservation.seat_number) })),
    ),
    el(
      'div',
      { class: 'stub-side' },
      el('p', { class: 'faint' }, t('me.number', { n: String(reservation.id) })),
      el('p', { class: 'figure' }, money(reservation.amount)),
      refund &&
        el(
          'button',
          { type: 'button', class: 'button quiet small', 'aria-label': t('me.refund.of', { seat }), on: { click: refund } },
          t('me.refund'),
        ),
    ),
  );
}

/** Reservations that expired, were released or were refunded. @param {Account} account */
export function past(account) {
  const over = account.reservations.filter(
    ({ status, expires_at }) => status !== 'COMPLETE' && !(status === 'PAYMENT_WAITING' && msUntil(expires_at) > 0),
  );
  return over.map((one) => {
    const status = one.status === 'PAYMENT_WAITING' ? 'EXPIRED' : one.status;
    return el(
      'li',
      null,
      el('div', null, el('p', { dir: 'auto' }, titleOf(account, one)), el('p', { class: 'faint' }, seatOf(account, one))),
      el(
        'div',
        { class: 'me-end' },
        el('span', { class: 'badge' }, t(`me.status.${status}`)),
        el('p', { class: 'faint' }, time(one.reservation_at, 'day')),
      ),
    );
  });
}

/** Payments as rows of a table. @param {Account} account */
export function payments(account) {
  const reservationOf = new Map(account.reservations.map((one) => [one.id, one]));
  return account.payments.map((payment) => {
    const reservation = reservationOf.get(payment.reservation_id);
    return el(
      'tr',
      null,
      el('td', null, time(payment.payment_at, 'day')),
      el('td', { dir: 'auto' }, reservation ? seatOf(account, reservation) : `#${payment.reservation_id}`),
      el('td', null, t(`me.payment.${payment.status}`)),
      el('td', { class: 'number' }, money(payment.amount)),
    );
  });
}
