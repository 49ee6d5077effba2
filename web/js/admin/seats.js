// @ts-check
/** Holding back seats and releasing them, by seat, row or section. */
import { states } from '../onsale.js';
import { announce, toast } from '../lib/announce.js';
import { OnsaleError, pause } from '../onsale/call.js';
import { confirm } from '../lib/dialog.js';
import { el, setChildren, setText } from '../lib/dom.js';
import { number, t } from '../lib/text.js';
import { card, runOnce, figure } from './parts.js';
import { get, getTagged } from './api.js';
import { SEATS_EDIT, THEIRS, sendEdit } from './edit.js';
import { may } from './role.js';
import { SeatSelection } from './seat-selection.js';

/** @import * as Api from '../onsale/types.d.ts' */
/** @typedef {import('./seat-selection.js').State} State */
/** @typedef {import('./seat-selection.js').Seat} Seat */

/** Maximum number of seats per call. */
const SEATS_PER_CALL = 1000;
/** Returns the two bits of a seat in the public map. @typedef {(seat: Seat) => number} Shown */

/** Loads the seats with their states. @param {number} schedule */
async function load(schedule) {
  const base = `/v1/admin/schedules/${schedule}/seats`;
  // The tag comes with the first answer: a later one could cover a change that is not shown.
  /** @type {import('./api.js').Tagged<Api.BlockedSeats>} */
  const { answer: blocked, tag } = await getTagged(`${base}/blocked`);
  /** @type {[Api.Layout, Api.SeatBits]} */
  const [layout, status] = await Promise.all([get(`${base}/layout`), get(`${base}/status`)]);
  const bits = states(status.status, layout.seats.length);
  /** @type {Shown} */
  const shown = ({ seat_number }) => bits[seat_number - 1] ?? 0;
  const back = new Set(blocked.seat_ids);
  const state = (/** @type {Seat} */ seat) =>
    back.has(seat.id) ? 'blocked' : /** @type {const} */ (['free', 'held', 'sold', 'sold'])[shown(seat)];
  const { seats, layout_version } = layout;
  const summary = { total: seats.length, blocked: back.size, layout_version };
  return { seats, shown, tag, summary, states: new Map(seats.map((seat) => [seat.id, /** @type {State} */ (state(seat))])) };
}

/**
 * Loads until the map shows the expected states of these seats, for about 3 s at most.
 * @param {number} schedule @param {Set<number>} ids @param {(bits: number) => boolean} isExpected
 */
async function loadUntil(schedule, ids, isExpected) {
  for (let left = 15; ; left -= 1) {
    const loaded = await load(schedule);
    if (left === 0 || loaded.seats.every((seat) => !ids.has(seat.id) || isExpected(loaded.shown(seat)))) return loaded;
    await pause(200);
  }
}

/** Counts the seats per state. @param {Map<number, State>} states */
function countStates(states) {
  const all = { free: 0, held: 0, sold: 0, blocked: 0 };
  for (const state of states.values()) all[state] += 1;
  return all;
}

/** The list of sections. @param {SeatSelection} choice */
function sectionPicker(choice) {
  const select = el(
    'select',
    { id: 'seats-section' },
    [...choice.sections.keys()].map((name) => el('option', { value: name }, name)),
  );
  select.addEventListener('change', () => {
    [choice.section, choice.from] = [select.value, 0];
    choice.show();
  });
  const whole = el(
    'button',
    { type: 'button', class: 'button quiet', on: { click: () => choice.toggle(choice.sections.get(choice.section) ?? []) } },
    t('admin.seats.wholesection'),
  );
  return el(
    'div',
    { class: 'toolbar' },
    el('label', { for: 'seats-section' }, t('admin.seats.section')),
    select,
    choice.mayChange && whole,
  );
}

/** The text for a refusal because seats are held or sold. Deselects those seats. @param {number[]} ids @param {SeatSelection} choice */
function inUseText(ids, choice) {
  ids.forEach((id) => choice.chosen.delete(id));
  const names = ids.slice(0, 5).map((id) => {
    const seat = choice.seats.get(id);
    return seat ? `${seat.section} ${seat.row}` : String(id);
  });
  return t('admin.seats.inuse', { n: ids.length, which: [...new Set(names)].join(', ') });
}

/** @type {import('./schedule.js').Tab} */
export async function seatsPart(place, { schedule, concert }) {
  let { seats, states: known, tag, summary } = await load(schedule.id);
  if (seats.length === 0)
    return setChildren(
      place,
      el(
        'p',
        { class: 'empty' },
        t('admin.seats.none'),
        ' ',
        may('admin') && el('a', { href: `#/schedules/${schedule.id}/venue` }, t('admin.tab.venue')),
      ),
    );
  const [said, effect, figures] = [
    el('p', { class: 'chosen', role: 'status' }),
    el('div', { class: 'effects', 'aria-live': 'polite' }),
    el('dl', { class: 'figures' }),
  ];
  const block = el('button', { type: 'button', class: 'button' });
  const free = el('button', { type: 'button', class: 'button quiet' });
  const choice = new SeatSelection(seats, known, () => showSelection(), may('operator'));
  const showSelection = () => {
    const [back, give] = [choice.in('free').length, choice.in('blocked').length];
    setText(said, t('admin.seats.chosen', { n: choice.chosen.size }));
    setChildren(block, t('admin.seats.block', { n: back }));
    setChildren(free, t('admin.seats.free', { n: give }));
    [block.disabled, free.disabled] = [back === 0, give === 0];
  };
  const count = () => {
    const now = countStates(choice.states);
    setChildren(
      figures,
      /** @type {State[]} */ (['free', 'held', 'sold', 'blocked']).map((state) =>
        figure(t(`admin.seats.state.${state}`), number(now[state])),
      ),
    );
    return now;
  };
  const change = async (/** @type {boolean} */ blocked) => {
    const ids = choice.in(blocked ? 'free' : 'blocked');
    const sure = await confirm({
      title: t(blocked ? 'admin.seats.block' : 'admin.seats.free', { n: ids.length }),
      body: t(blocked ? 'admin.seats.block.body' : 'admin.seats.free.body'),
      yes: t(blocked ? 'admin.seats.block.yes' : 'admin.seats.free.yes'),
      danger: blocked,
    });
    if (!sure) return;
    const before = countStates(choice.states);
    let changed = 0;
    /** @type {[Set<number>, (bits: number) => boolean]} */
    let wanted = [new Set(ids), (bits) => bits === (blocked ? 2 : 0)];
    try {
      for (let at = 0; at < ids.length; at += SEATS_PER_CALL) {
        const seat_ids = ids.slice(at, at + SEATS_PER_CALL);
        const path = `/v1/admin/schedules/${schedule.id}/seats`;
        const edit = { path, body: { seat_ids, blocked }, tag, before: summary, mine: null, ...SEATS_EDIT };
        /** @type {import('./api.js').Tagged<Api.SeatsBlocked> | typeof THEIRS | null} */
        const done = await sendEdit(edit);
        if (done === THEIRS || done === null) {
          wanted = [new Set(), () => true];
          if (done === THEIRS) await seatsPart(place, { schedule, concert });
          return;
        }
        changed += done.answer.changed;
        tag = done.tag;
      }
      choice.chosen.clear();
    } catch (error) {
      const { code, seat_ids: used = [] } = OnsaleError.from(error);
      if (code !== 'seat_in_use') throw error;
      wanted = [new Set(used), (bits) => bits !== 0];
      toast(inUseText(used, choice), { error: true });
    } finally {
      const loaded = await loadUntil(schedule.id, ...wanted);
      [choice.states, tag, summary] = [loaded.states, loaded.tag, loaded.summary];
      choice.show();
      showSelection();
      const after = count();
      if (changed > 0) effect.prepend(effectNote(before, after, schedule.id));
    }
  };
  block.addEventListener('click', () => runOnce(block, () => change(true)).then(showSelection));
  free.addEventListener('click', () => runOnce(free, () => change(false)).then(showSelection));
  setChildren(
    place,
    card(
      t('admin.seats.title'),
      el('p', { class: 'hint' }, t('admin.seats.hint')),
      figures,
      sectionPicker(choice),
      choice.rows,
      may('operator') && el('div', { class: 'seat-bar' }, said, block, free),
      effect,
    ),
  );
  choice.show();
  count();
  showSelection();
  return undefined;
}

/**
 * A note with the effect of a change.
 * @param {Record<State, number>} before @param {Record<State, number>} after @param {number} schedule
 */
function effectNote(before, after, schedule) {
  const text = t('admin.seats.effect', {
    free: `${number(before.free)} → ${number(after.free)}`,
    blocked: `${number(before.blocked)} → ${number(after.blocked)}`,
  });
  announce(text, { now: true });
  return el('p', { class: 'effect effect-done' }, text, ' ', el('a', { href: `#/schedules/${schedule}/audit` }, t('admin.audit.look')));
}
