// @ts-check
/** What the box office does for a buyer: dialogs that ask for a reason, and the calls. */
import { toast } from '../lib/announce.js';
import { OTHER, openDialog, showInfo } from '../lib/dialog.js';
import { el, setChildren, svg } from '../lib/dom.js';
import { groupBy } from '../lib/lists.js';
import { copyRow } from '../lib/recovery.js';
import { points, t, time } from '../lib/text.js';
import { seatText } from './box-office-names.js';
import { field } from './parts.js';
import { call, get, post, postOnce } from './api.js';

/** @import * as Api from '../onsale/types.d.ts' */

const BASE = '/v1/admin/box-office';

/** A checkbox with its label. @param {string} label @param {boolean} [checked] */
function checkbox(label, checked = false) {
  const box = el('input', { type: 'checkbox', checked });
  return { box, element: el('label', { class: 'check' }, box, ' ', label) };
}

/**
 * Asks for a reason, and whatever else `fields` has. Resolves to null if it was declined.
 * @param {import('../lib/dialog.js').Question} question @param {HTMLElement[]} [fields]
 * @returns {Promise<string | null>}
 */
async function askReason(question, fields = []) {
  const reason = el('textarea', { rows: 2, maxlength: 500, required: true, dir: 'auto', autofocus: true });
  // A reason of spaces alone is refused like an empty one.
  const trim = () => reason.setCustomValidity(reason.value.trim() === '' ? t('admin.box.reason.missing') : '');
  reason.addEventListener('input', trim);
  trim();
  const parts = [...fields, field(t('admin.box.reason'), reason, { hint: t('admin.box.reason.hint') })];
  const given = await openDialog(question, parts, () => reason.value.trim());
  return given === OTHER ? null : given;
}

/**
 * Refunds a payment or a whole hold. Resolves to whether it did.
 * @param {string} path below the box office @param {string} what the seats, for the question
 */
export async function refund(path, what) {
  const block = checkbox(t('admin.box.block'));
  const reason = await askReason({ title: t('admin.box.refund'), body: what, yes: t('admin.box.refund.yes'), danger: true }, [
    block.element,
  ]);
  if (reason === null) return false;
  /** @type {Api.Refunding} */
  const body = { reason, block: block.box.checked };
  /** @type {Api.RefundedOrder} */
  const done = await postOnce(`${BASE}${path}/refund`, body);
  toast(t('admin.box.refunded', { points: points(done.total_amount) }));
  return true;
}

/** A choice of the free seats of one price: a section, and a seat in it. @param {Api.Seat[]} seats */
function seatPicker(seats) {
  const sections = groupBy(seats, ({ section }) => section);
  const section = el(
    'select',
    null,
    [...sections.keys()].map((name) => el('option', { value: name }, name)),
  );
  const seat = el('select', { required: true });
  const show = () =>
    setChildren(
      seat,
      (sections.get(section.value) ?? []).map((one) =>
        el('option', { value: one.id }, t('admin.box.seat.short', { row: one.row, seat: String(one.seat_number) })),
      ),
    );
  section.addEventListener('change', show);
  show();
  return { fields: [field(t('admin.box.section'), section), field(t('admin.box.newseat'), seat)], value: () => Number(seat.value) };
}

/**
 * Moves a reservation to another seat of the same price. Resolves to whether it did.
 * @param {number} reservation @param {Api.NamedSeat} seat
 */
export async function move(reservation, seat) {
  /** @type {Api.SeatMap} */
  const map = await get(`/v1/schedules/${seat.schedule_id}/seats`);
  const price = map.seats.find(({ id }) => id === seat.id)?.seat_price;
  const free = map.seats.filter((one) => one.status === 'AVAILABLE' && one.seat_price === price);
  if (free.length === 0) {
    toast(t('admin.box.move.none'), { error: true });
    return false;
  }
  const picker = seatPicker(free);
  const block = checkbox(t('admin.box.move.block'));
  const question = { title: t('admin.box.move'), body: seatText(seat), yes: t('admin.box.move.yes') };
  const reason = await askReason(question, [...picker.fields, block.element]);
  if (reason === null) return false;
  /** @type {Api.Moving} */
  const body = { seat_id: picker.value(), reason, block: block.box.checked };
  await postOnce(`${BASE}/reservations/${reservation}/move`, body);
  toast(t('admin.box.moved'));
  return true;
}

/**
 * Takes a seat back from a guest. Resolves to whether it did.
 * @param {number} reservation @param {Api.NamedSeat} seat @param {boolean} [wasBlocked] unknown without it
 */
export async function revoke(reservation, seat, wasBlocked) {
  const block = wasBlocked === undefined ? null : checkbox(t('admin.box.block'), wasBlocked);
  const question = { title: t('admin.guests.revoke'), body: seatText(seat), yes: t('admin.guests.revoke'), danger: true };
  const reason = await askReason(question, block ? [block.element] : []);
  if (reason === null) return false;
  /** @type {Api.Revoking} */
  const body = block ? { reason, block: block.box.checked } : { reason };
  await postOnce(`${BASE}/guests/${reservation}/revoke`, body);
  toast(t('admin.guests.revoked'));
  return true;
}

/** Makes a link to a buyer's place in a queue, and shows it once. @param {number} buyer @param {number} schedule */
export async function reissuePlace(buyer, schedule) {
  const reason = await askReason({ title: t('admin.box.place'), body: t('admin.box.place.text'), yes: t('admin.box.place.yes') });
  if (reason === null) return false;
  /** @type {Api.ReissuedPlace} */
  const made = await post(`${BASE}/buyers/${buyer}/places/${schedule}`, { reason });
  const link = `${location.origin}/continue#${made.code}`;
  /** @type {{ size: number, path: string }} */
  const { size, path } = await call('POST', '/qr', { body: { text: link } });
  const picture = svg(
    'svg',
    { viewBox: `-4 -4 ${size + 8} ${size + 8}`, role: 'img', 'aria-label': t('admin.box.place.qr'), class: 'qr' },
    svg('path', { d: path }),
  );
  await showInfo({
    title: t('admin.box.place'),
    body: [t('admin.box.place.until', { time: time(made.expires_at, 'clock') }), picture, copyRow(link, t('admin.box.place.link'))],
  });
  return true;
}

/** Makes a new recovery code for a buyer, and shows it once. @param {number} buyer */
export async function reissueCode(buyer) {
  const reason = await askReason({
    title: t('admin.box.code'),
    body: t('admin.box.code.text'),
    yes: t('admin.box.code.yes'),
    danger: true,
  });
  if (reason === null) return false;
  /** @type {Api.ReissuedCode} */
  const made = await post(`${BASE}/buyers/${buyer}/recovery-code`, { reason });
  await showInfo({
    title: t('admin.box.code'),
    body: [t('admin.box.code.once'), el('p', { class: 'figure' }, made.code), copyRow(made.code, t('admin.box.code'))],
  });
  return true;
}
