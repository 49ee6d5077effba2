// @ts-check
/** Names of seats, buyers and states in the box office. */
import { el } from '../lib/dom.js';
import { t } from '../lib/text.js';
import { isolate } from '../seats/names.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** `Floor · row 3 · seat 37`. @param {Api.NamedSeat} seat */
export const seatText = ({ section, row, seat_number }) =>
  t('admin.box.seat', { section: isolate(section), row: isolate(row), seat: String(seat_number) });

/** A link to a seat. @param {Api.NamedSeat} seat */
export const seatLink = (seat) => el('a', { href: `#/box-office/seats/${seat.id}`, dir: 'auto' }, seatText(seat));

/** A link to a buyer, with the number of the user. @param {Api.Person} person */
export const personLink = ({ id, name }) =>
  el('span', null, el('a', { href: `#/box-office/buyers/${id}`, dir: 'auto' }, name), ' ', el('span', { class: 'id' }, `#${id}`));

/** A badge for a state of a seat or a reservation. @param {string} key @param {boolean} good */
export const stateBadge = (key, good) => el('span', { class: good ? 'badge badge-good' : 'badge' }, t(key));
