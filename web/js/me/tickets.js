// @ts-check
/** What tickets, holds and payments look like. */
import { until } from '../lib/clock.js';
import { el } from '../lib/dom.js';
import { countdown, money, t, time } from '../lib/text.js';
import { seatName } from '../seats/say.js';

/** @typedef {import('./load.js').Mine} Mine */

/** A seat in words. @param {Mine} mine @param {any} reservation */
export function seatOf({ labels }, { seat_id, seat_number }) {
  const label = labels.get(seat_id);
  return label ? seatName(label) : t('me.seat', { seat: String(seat_number) });
}

/** @param {Mine} mine @param {any} reservation */
const titleOf = ({ concerts }, { concert_id }) => concerts.get(concert_id)?.title ?? t('me.concert', { n: String(concert_id) });

/** Reservations together that have the same `key`. @param {any[]} reservations @param {string} key @returns {any[][]} */
function together(reservations, key) {
  const groups = new Map();
  for (const one of reservations) groups.set(one[key], [...(groups.get(one[key]) ?? []), one]);
  return [...groups.values()];
}

/** Holds that wait for payment. @param {Mine} mine */
export function holds(mine) {
  const waiting = mine.reservations.filter(({ status, expires_at }) => status === 'PAYMENT_WAITING' && until(expires_at) > 0);
  return together(waiting, 'hold_id').map((seats) => {
    const [{ hold_id, expires_at }] = seats;
    return el(
      'article',
      { class: 'card me-hold' },
      el(
        'div',
        null,
        el('h3', { dir: 'auto' }, titleOf(mine, seats[0])),
        el('p', { class: 'faint' }, seats.map((one) => seatOf(mine, one)).join(', ')),
      ),
      el('p', { class: 'me-left' }, el('b', { class: 'figure', dataset: { until: expires_at } }, countdown(until(expires_at))), el('span', null, t('me.left'))),
      el('a', { class: 'button', href: `/holds/${hold_id}` }, t('me.pay')),
    );
  });
}

/** Paid seats, one card for each date. @param {Mine} mine @param {(mine: Mine, reservation: any) => void} refund */
export function tickets(mine, refund) {
  const paid = mine.reservations.filter(({ status }) => status === 'COMPLETE');
  return together(paid, 'schedule_id').map((seats) => {
    const schedule = mine.schedules.get(seats[0].schedule_id);
    const open = schedule && until(schedule.deadline_at) > 0;
    return el(
      'article',
      { class: 'card ticket-card' },
      el(
        'header',
        null,
        el('h3', { dir: 'auto' }, titleOf(mine, seats[0])),
        schedule && el('p', { class: 'ticket-when' }, time(schedule.concert_at)),
      ),
      el('ul', { class: 'stubs' }, seats.sort((one, other) => one.seat_number - other.seat_number).map((one) => stub(mine, one, open ? () => refund(mine, one) : null))),
      schedule && el('p', { class: 'faint' }, t(open ? 'me.refund.until' : 'me.refund.closed', { time: time(schedule.deadline_at) })),
    );
  });
}

/** @param {Mine} mine @param {any} reservation @param {(() => void) | null} refund */
function stub(mine, reservation, refund) {
  const seat = seatOf(mine, reservation);
  const label = mine.labels.get(reservation.seat_id);
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
        el('button', { type: 'button', class: 'button quiet small', 'aria-label': t('me.refund.of', { seat }), on: { click: refund } }, t('me.refund')),
    ),
  );
}

/** Reservations that came to nothing, or were given back. @param {Mine} mine */
export function past(mine) {
  const over = mine.reservations.filter(
    ({ status, expires_at }) => status !== 'COMPLETE' && !(status === 'PAYMENT_WAITING' && until(expires_at) > 0),
  );
  return over.map((one) => {
    const status = one.status === 'PAYMENT_WAITING' ? 'EXPIRED' : one.status;
    return el(
      'li',
      null,
      el('div', null, el('p', { dir: 'auto' }, titleOf(mine, one)), el('p', { class: 'faint' }, seatOf(mine, one))),
      el('div', { class: 'me-end' }, el('span', { class: 'badge' }, t(`me.status.${status}`)), el('p', { class: 'faint' }, time(one.reservation_at, 'day'))),
    );
  });
}

/** Payments as rows of a table. @param {Mine} mine */
export function payments(mine) {
  const reservationOf = new Map(mine.reservations.map((one) => [one.id, one]));
  return mine.payments.map((payment) => {
    const reservation = reservationOf.get(payment.reservation_id);
    return el(
      'tr',
      null,
      el('td', null, time(payment.payment_at, 'day')),
      el('td', { dir: 'auto' }, reservation ? seatOf(mine, reservation) : `#${payment.reservation_id}`),
      el('td', null, t(`me.payment.${payment.status}`)),
      el('td', { class: 'number' }, money(payment.amount)),
    );
  });
}
