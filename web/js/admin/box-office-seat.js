// @ts-check
/** One seat in the box office: who has it, and everything that happened to it. */
import { el, setChildren } from '../lib/dom.js';
import { money, t, time } from '../lib/text.js';
import { history } from './box-office-history.js';
import { personLink, seatText, stateBadge } from './box-office-names.js';
import { figure, heading } from './parts.js';
import { get } from './api.js';

/** @type {import('../admin.js').Part} */
export async function seatPart(place, [id]) {
  const base = `/v1/admin/box-office/seats/${id}`;
  /** @type {import('../onsale/types.d.ts').SeatProfile} */
  const { seat, seat_price, state, owner, amount, expires_at } = await get(base);
  const past = history(base, { ofSeat: true });
  await past.again();
  setChildren(
    place,
    heading(seatText(seat), {
      back: ['/box-office', t('admin.nav.box')],
      lead: el(
        'span',
        null,
        el('a', { href: `#/schedules/${seat.schedule_id}` }, t('admin.schedule.id', { id: String(seat.schedule_id) })),
        ' ',
        stateBadge(`admin.box.seat.${state}`, state === 'AVAILABLE'),
      ),
    }),
    el(
      'dl',
      { class: 'figures' },
      figure(t('admin.box.owner'), owner ? personLink(owner) : t('admin.box.nobody')),
      figure(
        t('admin.venue.seat_price'),
        money(seat_price),
        amount !== null && amount !== seat_price && t('admin.box.pays', { price: money(amount) }),
      ),
      expires_at !== null && figure(t('admin.box.until'), time(expires_at, 'exact')),
    ),
    past.element,
  );
}
