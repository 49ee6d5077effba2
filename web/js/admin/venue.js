// @ts-check
/** The venue of a schedule: its sections, edited and previewed before they are saved. */
import { toast } from '../lib/announce.js';
import { confirm } from '../lib/dialog.js';
import { el, setChildren, setText, setVisible } from '../lib/dom.js';
import { money, number, t } from '../lib/text.js';
import { get, getTagged } from './api.js';
import { SEATS_EDIT, THEIRS, sendEdit } from './edit.js';
import { card, form } from './parts.js';
import { MAX_PER_CALL, MAX_SEATS, fixedSections, isSameVenue, requestOf, seatsOf, sectionsOf, sumUp, withPrices } from './sections.js';
import { guardUnsaved } from './unsaved.js';
import { FIRST, sectionEditor } from './venue-editor.js';
import { venuePreview } from './venue-preview.js';

/** @import * as Api from '../onsale/types.d.ts' */
/** @typedef {import('./sections.js').Section} Section */
/** @typedef {{ base: string, state: Api.SeatsState, tag: string, existing: Section[], seats: Api.Seat[] }} Venue what is saved */
/** @typedef {import('./api.js').Tagged<Api.SeatsEffect>} Effect */

/** @param {Venue} venue @param {string} method @param {string} end @param {unknown} body @param {string} tag */
const sendSeats = ({ base, state }, method, end, body, tag) =>
  sendEdit({ method, path: `${base}${end}`, body, tag, before: state, mine: null, ...SEATS_EDIT });

/** What a change affects, before it is made. @param {Api.SeatsEffect} effect */
function effectList({ seats, blocked, takings, kept }) {
  const line = (/** @type {string} */ name, /** @type {Api.SeatsEffect['seats']} */ { before, after }, form = number) => [
    el('dt', null, t(`admin.venue.effect.${name}`)),
    el('dd', null, form(before), ' → ', el('b', null, form(after))),
  ];
  return el(
    'dl',
    { class: 'changes' },
    line('seats', seats),
    (blocked.before > 0 || blocked.after > 0) && line('blocked', blocked),
    line('takings', takings, money),
    kept > 0 && [el('dt', null, t('admin.venue.effect.kept')), el('dd', null, number(kept))],
  );
}

/** @param {string} title @param {(string | Node)[]} body @param {boolean} danger */
const askToSave = (title, body, danger) => confirm({ title, body, yes: t('admin.save'), danger });

/**
 * Replaces all seats. Returns `THEIRS` if the operator takes another change, or whether it was saved.
 * @param {Venue} venue @param {Section[]} sections
 */
async function replaceSeats(venue, sections) {
  const removes = sections.length === 0;
  const [method, body] = removes ? ['DELETE', undefined] : ['PUT', requestOf(sections)];
  const tried = /** @type {Effect | typeof THEIRS | null} */ (await sendSeats(venue, method, '?dry_run=true', body, venue.tag));
  if (tried === THEIRS || tried === null) return tried ?? false;
  const { before, after } = tried.answer.seats;
  const title = removes ? t('admin.venue.sure.remove', { n: before }) : t('admin.venue.sure', { n: after });
  if (!(await askToSave(title, [effectList(tried.answer)], before > 0))) return false;
  const done = await sendSeats(venue, method, '', body, tried.tag);
  return done === THEIRS ? THEIRS : done !== null;
}

/**
 * Changes prices of existing seats, and adds new sections behind them.
 * @param {Venue} venue @param {Section[]} sections the existing ones first
 */
async function changeAndAdd(venue, sections) {
  const [now, added] = [sections.slice(0, venue.existing.length), sections.slice(venue.existing.length)];
  const prices = venue.existing.flatMap(({ name, seat_price }, at) =>
    now[at].seat_price === seat_price ? [] : [{ section: name, seat_price_now: seat_price, seat_price: now[at].seat_price }],
  );
  /** @type {(string | Node)[]} */
  const body = [];
  let { tag } = venue;
  if (prices.length > 0) {
    const tried = /** @type {Effect | typeof THEIRS | null} */ (await sendSeats(venue, 'PATCH', '/prices?dry_run=true', { prices }, tag));
    if (tried === THEIRS || tried === null) return tried ?? false;
    tag = tried.tag;
    body.push(t('admin.venue.sure.prices', { n: tried.answer.changed }), effectList(tried.answer));
  }
  const { seats, worth } = sumUp(added);
  if (seats > 0) body.push(t('admin.venue.sure.add', { n: seats }), t('admin.venue.total', { seats: number(seats), worth: money(worth) }));
  if (!(await askToSave(t('admin.venue.sure.change'), body, prices.length > 0))) return false;
  for (const [method, end, sent] of /** @type {[string, string, unknown][]} */ ([
    ['PATCH', '/prices', prices.length > 0 && { prices }],
    ['POST', '', seats > 0 && requestOf(added)],
  ])) {
    if (!sent) continue;
    const done = await sendSeats(venue, method, end, sent, tag);
    if (done === THEIRS || done === null) return done ?? false;
    tag = done.tag;
  }
  return true;
}

/** Why these sections can't be saved, or an empty text. @param {Venue} venue @param {Section[]} sections */
function whyNot({ state, existing }, sections) {
  const { seats } = sumUp(sections);
  const sent = state.reserved ? seats - state.total : seats;
  if (sections.length === 0 && existing.length === 0) return t('admin.venue.none');
  if (sent > MAX_PER_CALL || seats > MAX_SEATS) return t('admin.venue.toomany', { call: number(MAX_PER_CALL), all: number(MAX_SEATS) });
  return '';
}

/** @param {number} schedule @returns {Promise<Venue>} */
async function loadVenue(schedule) {
  const base = `/v1/admin/schedules/${schedule}/seats`;
  /** @type {import('./api.js').Tagged<Api.SeatsState>} */
  const { answer: state, tag } = await getTagged(base);
  /** @type {Api.Layout} */
  const layout = await get(`${base}/layout`);
  const existing = state.reserved ? fixedSections(state.sections) : sectionsOf(layout.seats);
  return { base, state, tag, existing, seats: layout.seats };
}

/** @type {import('./schedule.js').Tab} */
export async function venuePart(place, { schedule, concert }) {
  const venue = await loadVenue(schedule.id);
  const { existing, state } = venue;
  const isEmpty = existing.length === 0;
  const preview = venuePreview();
  const total = el('p', { class: 'total', role: 'status' });
  const unsaved = el('p', { class: 'strip strip-warn', hidden: true }, t('admin.venue.notsaved'));
  let isSaved = true;
  const editor = sectionEditor((sections) => {
    const { seats, worth } = sumUp(sections);
    isSaved = isSameVenue(sections, existing);
    setVisible(unsaved, !isSaved);
    setText(total, t('admin.venue.total', { seats: number(seats), worth: money(worth) }));
    const [old, added] = state.reserved ? [sections.slice(0, existing.length), sections.slice(existing.length)] : [[], sections];
    preview.show(seats, () => [...withPrices(old.length > 0 ? venue.seats : [], existing, old), ...seatsOf(added)], isSaved);
  });
  /** The sections that were proposed: leaving them loses nothing. @type {Section[]} */
  const proposed = isEmpty ? [{ ...FIRST, name: t('admin.venue.name.first') }] : [];
  const unguard = guardUnsaved(() => !isSaved && !isSameVenue(editor.values(), proposed));
  /** @type {() => void} */
  let end = () => {
    unguard();
    preview.end();
  };
  const again = async () => {
    end();
    end = (await venuePart(place, { schedule, concert })) ?? (() => {});
  };
  const act = async () => {
    const sections = editor.values();
    if (isSaved) return toast(t('admin.nochange'));
    const refusal = whyNot(venue, sections);
    if (refusal) return toast(refusal, { error: true });
    const saved = await (state.reserved ? changeAndAdd(venue, sections) : replaceSeats(venue, sections));
    if (saved === false) return;
    isSaved = true;
    toast(t(saved === THEIRS ? 'admin.conflict.taken' : 'admin.saved.force'));
    if (isEmpty && saved !== THEIRS) location.hash = `#/schedules/${schedule.id}`;
    else await again();
  };
  setChildren(
    place,
    el(
      'div',
      { class: 'venue' },
      el(
        'div',
        null,
        card(
          t(isEmpty ? 'admin.venue.make' : 'admin.venue.there'),
          el('p', { class: 'hint' }, t(state.reserved ? 'admin.venue.hint.reserved' : 'admin.venue.hint')),
          form(t(isEmpty ? 'admin.venue.add.yes' : 'admin.save'), act, editor.element, total, unsaved),
        ),
      ),
      card(t('admin.venue.preview'), el('p', { class: 'hint', dir: 'auto' }, concert.title), preview.element),
    ),
  );
  // After the page has its width, since the preview depends on it.
  editor.add(existing, state.reserved);
  editor.add(proposed);
  return () => end();
}
