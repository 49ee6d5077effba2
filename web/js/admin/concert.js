// @ts-check
/** Creating and changing a concert. */
import { toast } from '../lib/announce.js';
import { confirm } from '../lib/dialog.js';
import { el, setChildren } from '../lib/dom.js';
import { t, time } from '../lib/text.js';
import { card, field, fieldLabel, form, heading, phaseBadge, table } from './parts.js';
import { fetchAll, getTagged, post } from './api.js';
import { THEIRS, sendEdit } from './edit.js';
import { concertStrip, draftBadge } from './publish.js';
import { reloadPart } from './reload.js';
import { removalCard } from './removal.js';
import { may } from './role.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** The fields of a concert that are edited here. */
const FIELDS = /** @type {const} */ (['title', 'description', 'status']);

/** @param {string} name @param {string} value */
const fieldText = (name, value) => (name === 'status' ? t(`admin.concert.${value}`) : value);

/** The form fields of a concert. @param {Partial<import('./api.js').Concert>} concert */
function fields(concert) {
  const title = el('input', { type: 'text', required: true, maxlength: 200, value: concert.title ?? '', dir: 'auto' });
  const description = el('textarea', { rows: 5, maxlength: 10_000, value: concert.description ?? '', dir: 'auto' });
  const status = el(
    'select',
    null,
    ['AVAILABLE', 'UNAVAILABLE'].map((value) => el('option', { value }, t(`admin.concert.${value}`))),
  );
  status.value = concert.status ?? 'AVAILABLE';
  return {
    parts: [
      field(t('admin.concert.title'), title, { hint: t('admin.concert.title.hint') }),
      field(t('admin.concert.description'), description),
      field(t('admin.concert.status'), status, { hint: t('admin.concert.status.hint') }),
    ],
    /** @returns {Api.NewConcert} */
    value: () => ({
      title: title.value,
      description: description.value,
      status: /** @type {import('./api.js').Concert['status']} */ (status.value),
    }),
  };
}

/** @param {HTMLElement} place */
function newConcert(place) {
  const { parts, value } = fields({});
  const act = async () => {
    /** @type {import('./api.js').Concert} */
    const made = await post('/v1/admin/concerts', { ...value(), draft: true });
    location.hash = `#/concerts/${made.id}/schedules/new`;
  };
  setChildren(
    place,
    heading(t('admin.concert.new'), { back: ['/', t('admin.back.sales')], lead: t('admin.concert.new.lead') }),
    el('section', { class: 'card' }, form(t('admin.concert.make'), act, ...parts)),
  );
}

/**
 * Asks before a concert is withdrawn, since that stops its sales at once.
 * @param {import('./api.js').Concert} old @param {Api.NewConcert} wanted
 */
async function confirmWithdrawal(old, wanted) {
  if (wanted.status === old.status || wanted.status === 'AVAILABLE') return true;
  return confirm({
    title: t('admin.concert.withdraw'),
    body: t('admin.concert.withdraw.body'),
    yes: t('admin.concert.withdraw.yes'),
    danger: true,
  });
}

/** @param {import('./api.js').Schedule[]} schedules */
function schedulesTable(schedules) {
  return table(
    t('admin.schedules'),
    [
      { text: t('admin.schedule.plays') },
      { text: t('admin.schedule.opens') },
      { text: t('admin.schedule.phase') },
      { text: t('admin.schedule.seats'), number: true },
      { text: t('admin.schedule.sold'), number: true },
    ],
    schedules.map((schedule) => [
      el('a', { href: `#/schedules/${schedule.id}` }, time(schedule.concert_at)),
      time(schedule.reservation_available_at),
      draftBadge(schedule) ?? phaseBadge(schedule.phase),
      schedule.seats.total,
      schedule.seats.sold,
    ]),
  );
}

/** @type {import('../admin.js').Part} */
export async function concertPart(place, [id]) {
  if (id === undefined) return newConcert(place);
  const path = `/v1/admin/concerts/${id}`;
  /** @type {[import('./api.js').Tagged<import('./api.js').Concert>, import('./api.js').Schedule[]]} */
  const [tagged, schedules] = await Promise.all([getTagged(path), fetchAll(`${path}/schedules`)]);
  const { answer: concert, tag } = tagged;
  const { parts, value } = fields(concert);
  const act = async () => {
    const wanted = value();
    const mine = Object.fromEntries(FIELDS.filter((name) => wanted[name] !== concert[name]).map((name) => [name, wanted[name]]));
    if (Object.keys(mine).length === 0) return toast(t('admin.nochange'));
    if (!(await confirmWithdrawal(concert, wanted))) return;
    const edit = { path, body: mine, tag, before: concert, mine, names: [...FIELDS], label: fieldLabel, text: fieldText };
    const done = await sendEdit(edit);
    if (done === null) return;
    toast(t(done === THEIRS ? 'admin.conflict.taken' : 'admin.saved'));
    reloadPart();
  };
  const add = el('a', { class: 'button', href: `#/concerts/${id}/schedules/new` }, t('admin.schedule.new'));
  setChildren(
    place,
    heading(concert.title, { back: ['/', t('admin.back.sales')], lead: draftBadge(concert), actions: may('admin') ? [add] : [] }),
    concertStrip(tagged),
    card(
      t('admin.schedules'),
      schedules.length > 0 ? schedulesTable(schedules) : el('p', { class: 'muted' }, t('admin.overview.noschedules')),
    ),
    may('operator') && card(t('admin.concert.change'), form(t('admin.save'), act, ...parts)),
    may('admin') && removalCard('concerts', id, concert.title, tag, () => (location.hash = '#/')),
  );
}
