// @ts-check
/** The guest list of a schedule: gives seats for free, lists them, and takes them back. */
import { toast } from '../lib/announce.js';
import { el, setChildren } from '../lib/dom.js';
import { t, time } from '../lib/text.js';
import { revoke } from './box-office-acts.js';
import { personLink, seatLink, stateBadge } from './box-office-names.js';
import { card, field, form, runOnce, table } from './parts.js';
import { get, postOnce } from './api.js';
import { MAX_NUMBERS, readNumbers } from './seat-numbers.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** The form that gives seats. @param {number} schedule @param {() => Promise<void>} again */
function giving(schedule, again) {
  const name = el('input', { type: 'text', maxlength: 100, required: true, dir: 'auto', autocomplete: 'off' });
  const numbers = el('input', { type: 'text', required: true, autocomplete: 'off', inputmode: 'text' });
  const reason = el('input', { type: 'text', maxlength: 500, required: true, dir: 'auto', autocomplete: 'off' });
  const give = async () => {
    const wanted = readNumbers(numbers.value);
    if (!wanted) return toast(t('admin.guests.numbers.wrong', { n: MAX_NUMBERS }), { error: true });
    /** @type {Api.Layout} */
    const { seats } = await get(`/v1/admin/schedules/${schedule}/seats/layout`);
    const seat_ids = seats.filter(({ seat_number }) => wanted.includes(seat_number)).map(({ id }) => id);
    if (seat_ids.length !== wanted.length) return toast(t('admin.guests.numbers.unknown'), { error: true });
    const account = /^#(\d+)$/.exec(name.value.trim());
    const guest = account ? { user_id: Number(account[1]) } : { name: name.value.trim() };
    /** @type {Api.GivenSeats} */
    const given = await postOnce(`/v1/admin/box-office/schedules/${schedule}/guests`, { ...guest, seat_ids, reason: reason.value.trim() });
    toast(t('admin.guests.given', { n: given.reservations.length }));
    [name.value, numbers.value, reason.value] = ['', '', ''];
    await again();
  };
  return form(
    t('admin.guests.give'),
    give,
    el(
      'div',
      { class: 'fields' },
      field(t('admin.guests.name'), name, { hint: t('admin.guests.name.hint') }),
      field(t('admin.guests.numbers'), numbers, { hint: t('admin.guests.numbers.hint') }),
      field(t('admin.box.reason'), reason, { hint: t('admin.guests.reason.hint') }),
    ),
  );
}

/** @param {Api.GuestSeat} guest @param {() => Promise<void>} again */
function row(guest, again) {
  const back = el('button', { type: 'button', class: 'button quiet small' }, t('admin.guests.revoke'));
  back.addEventListener('click', () =>
    runOnce(back, async () => {
      if (await revoke(guest.reservation_id, guest.seat, guest.was_blocked)) await again();
    }),
  );
  return [
    personLink(guest.guest),
    seatLink(guest.seat),
    guest.reason,
    el('span', null, time(guest.given_at, 'day'), ' · ', guest.given_by.name),
    guest.revoked_at === null ? back : stateBadge('admin.box.status.REVOKED', false),
  ];
}

/** @type {import('./schedule.js').Tab} */
export async function guestsPart(place, { schedule }) {
  const path = `/v1/admin/box-office/schedules/${schedule.id}/guests`;
  const list = el('div');
  const more = el('button', { type: 'button', class: 'button quiet', hidden: true }, t('admin.box.older'));
  /** @type {Api.GuestSeat[]} */
  let guests = [];
  let cursor = '';
  const load = async (/** @type {boolean} */ fromStart) => {
    /** @type {Api.List<Api.GuestSeat>} */
    const page = await get(`${path}${fromStart ? '' : `?cursor=${encodeURIComponent(cursor)}`}`);
    guests = fromStart ? page.items : [...guests, ...page.items];
    cursor = page.next_cursor ?? '';
    more.hidden = cursor === '';
    const heads = ['guest', 'seat', 'reason', 'given', 'state'].map((name) => ({ text: t(`admin.guests.head.${name}`) }));
    setChildren(
      list,
      guests.length === 0
        ? el('p', { class: 'muted' }, t('admin.guests.none'))
        : table(
            t('admin.tab.guests'),
            heads,
            guests.map((guest) => row(guest, again)),
          ),
    );
  };
  const again = () => load(true);
  more.addEventListener('click', () => runOnce(more, () => load(false)));
  await again();
  setChildren(
    place,
    card(t('admin.guests.give'), el('p', { class: 'hint' }, t('admin.guests.hint')), giving(schedule.id, again)),
    card(t('admin.tab.guests'), list, more),
  );
}
