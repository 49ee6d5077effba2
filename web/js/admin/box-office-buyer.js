// @ts-check
/** One buyer in the box office: seats, places in queues, and everything that happened. */
import { el, setChildren } from '../lib/dom.js';
import { groupBy } from '../lib/lists.js';
import { money, points, t, time } from '../lib/text.js';
import { move, refund, reissueCode, reissuePlace, revoke } from './box-office-acts.js';
import { history } from './box-office-history.js';
import { seatLink, seatText, stateBadge } from './box-office-names.js';
import { card, figure, heading, runOnce } from './parts.js';
import { get } from './api.js';

/** @import * as Api from '../onsale/types.d.ts' */
/** Runs an action and then shows the buyer again. @typedef {(button: HTMLButtonElement, act: () => Promise<boolean>) => void} Act */

/** A button that runs an action. @param {string} label @param {string} about for screen readers @param {Act} run @param {() => Promise<boolean>} act */
function button(label, about, run, act) {
  const made = el('button', { type: 'button', class: 'button quiet small', 'aria-label': `${label}: ${about}` }, label);
  made.addEventListener('click', () => run(made, act));
  return made;
}

/** The status of a reservation. @param {Api.BuyerReservation} one */
const statusOf = (one) =>
  one.guest && one.status === 'COMPLETE' ? 'GUEST' : one.guest && one.status === 'CANCELLED' ? 'REVOKED' : one.status;

/** One seat of an order. @param {Api.BuyerReservation} one @param {Act} run */
function seatRow(one, run) {
  const name = seatText(one.seat);
  const owned = one.status === 'COMPLETE';
  return el(
    'li',
    { class: 'box-seat', dataset: { reservation: String(one.id) } },
    el(
      'div',
      null,
      seatLink(one.seat),
      ' ',
      stateBadge(`admin.box.status.${statusOf(one)}`, owned),
      el('p', { class: 'muted' }, t('admin.box.reservation', { id: String(one.id) }), ' · ', money(one.amount)),
    ),
    owned &&
      el(
        'div',
        { class: 'actions' },
        button(t('admin.box.move'), name, run, () => move(one.id, one.seat)),
        one.guest
          ? button(t('admin.guests.revoke'), name, run, () => revoke(one.id, one.seat))
          : button(t('admin.box.refund'), name, run, () => refund(`/payments/${one.payment_id}`, name)),
      ),
  );
}

/** The seats that were held together. @param {Api.BuyerReservation[]} seats @param {Act} run */
function order(seats, run) {
  const [{ hold_id, seat, reservation_at }] = seats;
  const paid = seats.filter((one) => one.status === 'COMPLETE' && !one.guest);
  return el(
    'article',
    { class: 'box-order' },
    el(
      'header',
      { class: 'card-head' },
      el(
        'h3',
        null,
        el('a', { href: `#/schedules/${seat.schedule_id}` }, t('admin.schedule.id', { id: String(seat.schedule_id) })),
        ' · ',
        time(reservation_at),
      ),
      paid.length > 1 &&
        button(t('admin.box.refund.all'), time(reservation_at), run, () =>
          refund(`/holds/${hold_id}`, paid.map((one) => seatText(one.seat)).join(', ')),
        ),
    ),
    el(
      'ul',
      { class: 'box-seats' },
      seats.map((one) => seatRow(one, run)),
    ),
  );
}

/** One place in a queue. @param {Api.BuyerEntry} entry @param {number} buyer @param {Act} run */
function placeRow(entry, buyer, run) {
  const open = entry.status === 'WAITING' || entry.status === 'ACTIVE';
  const where = t('admin.schedule.id', { id: String(entry.schedule_id) });
  return el(
    'li',
    { class: 'box-seat' },
    el(
      'div',
      null,
      el('a', { href: `#/schedules/${entry.schedule_id}` }, where),
      ' ',
      stateBadge(`admin.box.entry.${entry.status}`, open),
      el('p', { class: 'muted' }, t('admin.box.joined', { time: time(entry.joined_at) })),
    ),
    open && button(t('admin.box.place'), where, run, () => reissuePlace(buyer, entry.schedule_id)),
  );
}

/** A list of pages with a button for older items. @template Item @param {string} path @param {(items: Item[]) => Node[]} render */
function paged(path, render) {
  const list = el('div', { class: 'box-orders' });
  const none = el('p', { class: 'muted', hidden: true }, t('admin.box.nothing'));
  const more = el('button', { type: 'button', class: 'button quiet', hidden: true }, t('admin.box.older'));
  /** @type {Item[]} */
  let items = [];
  let cursor = '';
  const load = async (/** @type {boolean} */ fromStart) => {
    /** @type {Api.List<Item>} */
    const page = await get(`${path}${fromStart ? '' : `?cursor=${encodeURIComponent(cursor)}`}`);
    items = fromStart ? page.items : [...items, ...page.items];
    cursor = page.next_cursor ?? '';
    setChildren(list, render(items));
    none.hidden = items.length > 0;
    more.hidden = cursor === '';
  };
  more.addEventListener('click', () => runOnce(more, () => load(false)));
  return { elements: [list, none, more], again: () => load(true) };
}

/** @param {Api.BuyerProfile} buyer */
function figures(buyer) {
  const code = buyer.signs_in_elsewhere
    ? t('admin.box.elsewhere')
    : buyer.recovery_code_at
      ? time(buyer.recovery_code_at)
      : t('admin.box.code.none');
  return el(
    'dl',
    { class: 'figures' },
    figure(t('admin.box.balance'), points(buyer.balance)),
    figure(t('admin.box.since'), time(buyer.created_at, 'date')),
    figure(t('admin.box.code.at'), code),
  );
}

/** @type {import('../admin.js').Part} */
export async function buyerPart(place, [id]) {
  const base = `/v1/admin/box-office/buyers/${id}`;
  /** @type {Api.BuyerProfile} */
  const buyer = await get(base);
  const top = el('div', null, figures(buyer));
  const past = history(base);
  /** @type {Act} */
  const run = (made, act) => {
    runOnce(made, async () => {
      if (await act()) await again();
    });
  };
  const seats = paged(`${base}/reservations`, (/** @type {Api.BuyerReservation[]} */ all) =>
    [...groupBy(all, ({ hold_id }) => hold_id).values()].map((together) => order(together, run)),
  );
  const places = paged(`${base}/entries`, (/** @type {Api.BuyerEntry[]} */ all) => [
    el(
      'ul',
      { class: 'box-seats' },
      all.map((entry) => placeRow(entry, id, run)),
    ),
  ]);
  const again = async () => {
    /** @type {Api.BuyerProfile} */
    const now = await get(base);
    setChildren(top, figures(now));
    await Promise.all([seats.again(), places.again(), past.again()]);
  };
  await again();
  const code = button(t('admin.box.code'), buyer.name, run, () => reissueCode(id));
  setChildren(
    place,
    heading(buyer.name, {
      back: ['/box-office', t('admin.nav.box')],
      lead: el('span', { class: 'id' }, t('admin.box.user', { id: String(id) })),
      actions: buyer.signs_in_elsewhere ? [] : [code],
    }),
    top,
    card(t('admin.box.seats'), seats.elements),
    card(t('admin.box.places'), places.elements),
    past.element,
  );
}
