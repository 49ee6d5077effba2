// @ts-check
/** Holding back seats and releasing them, by seat, row or section. */
import { announce, toast } from '../lib/announce.js';
import { pause } from '../onsale/call.js';
import { confirm } from '../lib/dialog.js';
import { el, setChildren, setText, setAttribute } from '../lib/dom.js';
import { number, t } from '../lib/text.js';
import { card, runOnce, figure } from './parts.js';
import { get, patch } from './api.js';

/** @typedef {'free' | 'held' | 'sold' | 'blocked'} State */
/** @typedef {{ id: number, seat_number: number, section: string, row: string, seat_price: number }} Seat */

/** Maximum number of seats per call. */
const SEATS_PER_CALL = 1000;
/** Maximum number of seats shown at once. */
const SHOWN_SEATS = 600;

/** Returns the two bits of a seat in the public map. @typedef {(seat: Seat) => number} Shown */

/** Loads the seats with their states. @param {number} schedule */
async function load(schedule) {
  const base = `/v1/schedules/${schedule}/seats`;
  const [layout, status, blocked] = await Promise.all([
    get(`${base}/layout`),
    get(`${base}/status`),
    get(`/v1/admin/schedules/${schedule}/seats/blocked`),
  ]);
  const bytes = Uint8Array.from(atob(status.status), (char) => char.charCodeAt(0));
  /** @type {Shown} */
  const shown = ({ seat_number: n }) => ((bytes[(n - 1) >> 2] ?? 0) >> (((n - 1) & 3) * 2)) & 3;
  const back = new Set(blocked.seat_ids);
  const state = (/** @type {Seat} */ seat) =>
    back.has(seat.id) ? 'blocked' : /** @type {const} */ (['free', 'held', 'sold', 'sold'])[shown(seat)];
  const seats = /** @type {Seat[]} */ (layout.seats);
  return { seats, shown, states: new Map(seats.map((seat) => [seat.id, /** @type {State} */ (state(seat))])) };
}

/** Loads until the map shows the expected states of these seats, for about 3 s at most. @param {number} schedule @param {Set<number>} ids @param {(bits: number) => boolean} isExpected */
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

/** Groups items, in order of first appearance. @template T @param {T[]} all @param {(one: T) => string} by @returns {Map<string, T[]>} */
function groupBy(all, by) {
  /** @type {Map<string, T[]>} */
  const groups = new Map();
  for (const one of all) {
    const of = groups.get(by(one));
    if (of) of.push(one);
    else groups.set(by(one), [one]);
  }
  return groups;
}

/** The selected seats, and the rows shown. */
class SeatSelection {
  /** @param {Seat[]} seats @param {Map<number, State>} states @param {() => void} changed */
  constructor(seats, states, changed) {
    this.seats = new Map(seats.map((seat) => [seat.id, seat]));
    this.sections = groupBy(seats, ({ section }) => section);
    this.states = states;
    this.changed = changed;
    /** @type {Set<number>} */
    this.chosen = new Set();
    this.rows = el('div', { class: 'adm-seat-rows' });
    /** @type {Map<number, HTMLButtonElement>} */
    this.buttons = new Map();
    this.section = this.sections.keys().next().value ?? '';
    this.from = 0;
  }

  /** The selected seats in a state. @param {State} state */
  in(state) {
    return [...this.chosen].filter((id) => this.states.get(id) === state);
  }

  /** Selects the seats that can be changed, or deselects them if all are selected. @param {Seat[]} seats */
  toggle(seats) {
    const open = seats.filter(({ id }) => ['free', 'blocked'].includes(this.states.get(id) ?? ''));
    const all = open.every(({ id }) => this.chosen.has(id));
    for (const { id } of open) {
      if (all) this.chosen.delete(id);
      else this.chosen.add(id);
      const button = this.buttons.get(id);
      if (button) setAttribute(button, 'aria-pressed', String(!all));
    }
    this.changed();
  }

  /** A seat's button, labelled with the number that buyers see. @param {Seat} seat */
  button(seat) {
    const state = this.states.get(seat.id) ?? 'sold';
    const fixed = state === 'held' || state === 'sold';
    const label = t('admin.seats.seat', { seat: String(seat.seat_number), state: t(`admin.seats.state.${state}`) });
    const button = el(
      'button',
      {
        type: 'button',
        class: `adm-seat adm-seat-${state}`,
        'aria-pressed': fixed ? null : String(this.chosen.has(seat.id)),
        'aria-label': label,
        'aria-disabled': fixed ? 'true' : null,
        dataset: { seat: String(seat.id) },
      },
      String(seat.seat_number),
    );
    if (!fixed) button.addEventListener('click', () => this.toggle([seat]));
    this.buttons.set(seat.id, button);
    return button;
  }

  /** Shows the section's rows, from the current row on. */
  show() {
    const rows = [...groupBy(this.sections.get(this.section) ?? [], ({ row }) => row)];
    this.buttons.clear();
    let shown = 0;
    let end = this.from;
    while (end < rows.length && (end === this.from || shown + rows[end][1].length <= SHOWN_SEATS)) {
      shown += rows[end][1].length;
      end += 1;
    }
    const line = (/** @type {[string, Seat[]]} */ [row, seats]) =>
      el(
        'div',
        { class: 'adm-seat-row', role: 'group', 'aria-label': t('admin.seats.row', { row }) },
        el(
          'button',
          {
            type: 'button',
            class: 'adm-row-name',
            title: t('admin.seats.wholerow'),
            'aria-label': t('admin.seats.wholerow.of', { row }),
            on: { click: () => this.toggle(seats) },
          },
          row,
        ),
        el(
          'div',
          { class: 'adm-row-seats' },
          seats.map((seat) => this.button(seat)),
        ),
      );
    const go = (/** @type {number} */ from, /** @type {string} */ key) =>
      el(
        'button',
        {
          type: 'button',
          class: 'button quiet small',
          on: {
            click: () => {
              this.from = from;
              this.show();
            },
          },
        },
        t(key),
      );
    const before = this.from > 0 && go(Math.max(0, this.from - (end - this.from)), 'admin.seats.before');
    setChildren(
      this.rows,
      rows.slice(this.from, end).map(line),
      el('div', { class: 'actions' }, before, end < rows.length && go(end, 'admin.seats.after')),
    );
  }
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
  return el('div', { class: 'toolbar' }, el('label', { for: 'seats-section' }, t('admin.seats.section')), select, whole);
}

/** The text for a refusal because seats are held or sold. Deselects those seats. @param {any} error @param {SeatSelection} choice */
function inUseText(error, choice) {
  const ids = /** @type {number[]} */ (error.seat_ids ?? []);
  ids.forEach((id) => choice.chosen.delete(id));
  const names = ids.slice(0, 5).map((id) => {
    const seat = choice.seats.get(id);
    return seat ? `${seat.section} ${seat.row}` : String(id);
  });
  return t('admin.seats.inuse', { n: ids.length, which: [...new Set(names)].join(', ') });
}

/** @type {import('./schedule.js').Tab} */
export async function seatsPart(place, { schedule }) {
  const { seats, states } = await load(schedule.id);
  if (seats.length === 0)
    return setChildren(
      place,
      el('p', { class: 'empty' }, t('admin.seats.none'), ' ', el('a', { href: `#/schedules/${schedule.id}/venue` }, t('admin.tab.venue'))),
    );
  const [said, effect, figures] = [
    el('p', { class: 'chosen', role: 'status' }),
    el('div', { class: 'effects', 'aria-live': 'polite' }),
    el('dl', { class: 'figures' }),
  ];
  const block = el('button', { type: 'button', class: 'button' });
  const free = el('button', { type: 'button', class: 'button quiet' });
  const choice = new SeatSelection(seats, states, () => tell());
  const tell = () => {
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
        changed += (await patch(`/v1/admin/schedules/${schedule.id}/seats`, { seat_ids: ids.slice(at, at + SEATS_PER_CALL), blocked }))
          .changed;
      }
      choice.chosen.clear();
    } catch (error) {
      if (/** @type {any} */ (error).code !== 'seat_in_use') throw error;
      wanted = [new Set(/** @type {any} */ (error).seat_ids), (bits) => bits !== 0];
      toast(inUseText(error, choice), { error: true });
    } finally {
      choice.states = (await loadUntil(schedule.id, ...wanted)).states;
      choice.show();
      tell();
      const after = count();
      if (changed > 0) effect.prepend(effectNote(before, after, schedule.id));
    }
  };
  block.addEventListener('click', () => runOnce(block, () => change(true)).then(tell));
  free.addEventListener('click', () => runOnce(free, () => change(false)).then(tell));
  setChildren(
    place,
    card(
      t('admin.tab.seats'),
      el('p', { class: 'hint' }, t('admin.seats.hint')),
      figures,
      sectionPicker(choice),
      choice.rows,
      el('div', { class: 'seat-bar' }, said, block, free),
      effect,
    ),
  );
  choice.show();
  count();
  tell();
  return undefined;
}

/** A note with the effect of a change. @param {Record<State, number>} before @param {Record<State, number>} after @param {number} schedule */
function effectNote(before, after, schedule) {
  const text = t('admin.seats.effect', {
    free: `${number(before.free)} → ${number(after.free)}`,
    blocked: `${number(before.blocked)} → ${number(after.blocked)}`,
  });
  announce(text, { now: true });
  return el('p', { class: 'effect effect-done' }, text, ' ', el('a', { href: `#/schedules/${schedule}/audit` }, t('admin.audit.look')));
}
