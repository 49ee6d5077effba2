// @ts-check
/**
 * The seats of one section as buttons, for keys, fingers and those who listen.
 *
 * One of the buttons is in the order of tabs; arrows go on from it, over free seats only. Long
 * sections come in parts.
 */
import { $, el, fill, say, set, show } from '../lib/dom.js';
import { money, t } from '../lib/text.js';
import { alone, count } from './say.js';
import { AVAILABLE } from './states.js';

/** As many buttons at once. */
const MOST_BUTTONS = 480;
/** The list of sections is told how many seats are free at most this often. */
const COUNTS_MS = 1000;

/** @typedef {import('./venue.js').Section} Section */
/** @typedef {import('./venue.js').Row} Row */

export class SectionList {
  /**
   * @param {import('./choice.js').Choice} choice
   * @param {{pick: (seat: number) => void, pointed: (seat: number) => void, opened: (section: Section) => void}} told
   */
  constructor(choice, told) {
    this.choice = choice;
    this.told = told;
    this.host = $('#section');
    this.rows = $('#section-rows');
    this.select = /** @type {HTMLSelectElement} */ ($('#section-select'));
    /** @type {Section | null} */
    this.section = null;
    /** @type {Row[][]} */
    this.parts = [];
    this.part = 0;
    /** @type {Map<number, HTMLButtonElement>} */
    this.buttons = new Map();
    /** The one in the order of tabs. */
    this.current = -1;
    this.#listen();
  }

  #listen() {
    const { choice, select, rows } = this;
    const options = choice.venue.sections.map(({ name, index }) => el('option', { value: String(index) }, name));
    fill(select, el('option', { value: '' }, t('seats.section.choose')), options);
    const told = () => choice.venue.sections.forEach(({ name, index }) => {
      say(options[index], t('seats.section.option', { section: alone(name), n: choice.states.inSection[index] }));
    });
    // An open list must not change.
    let due = 0;
    const later = () => {
      due ||= window.setTimeout(() => {
        due = 0;
        if (document.activeElement !== select) told();
      }, COUNTS_MS);
    };
    choice.on('seats', later);
    select.addEventListener('focus', told);
    select.addEventListener('pointerdown', told);
    told();
    select.addEventListener('change', () => {
      const section = choice.venue.sections[Number(select.value)];
      if (select.value !== '' && section) this.told.opened(section);
    });
    rows.addEventListener('click', (event) => {
      const seat = seatOf(event.target);
      if (seat >= 0) this.told.pick(seat);
    });
    rows.addEventListener('focusin', (event) => {
      const seat = seatOf(event.target);
      if (seat < 0) return;
      this.#stop(seat);
      this.told.pointed(seat);
    });
    rows.addEventListener('focusout', () => this.told.pointed(-1));
    rows.addEventListener('keydown', (event) => this.#key(event));
    for (const [id, by] of /** @type {[string, number][]} */ ([['#section-before', -1], ['#section-after', 1]])) {
      $(id).addEventListener('click', () => this.#turn(this.part + by));
    }
    choice.on('seats', (seats) => seats.forEach((seat) => this.#refresh(seat)));
    choice.on('picks', () => this.buttons.forEach((_, seat) => this.#refresh(seat)));
  }

  /** Opens a section; with a seat, at that seat. @param {Section} section @param {number} [seat] */
  open(section, seat = -1) {
    const row = seat < 0 ? undefined : section.rows[this.choice.venue.row[seat]];
    if (section !== this.section) {
      this.section = section;
      this.parts = parted(section);
      this.select.value = String(section.index);
      say($('#section-name'), section.name);
      show($('#section-open'), true);
    }
    const part = row ? this.parts.findIndex((rows) => rows.some(({ name }) => name === row.name)) : 0;
    this.#turn(Math.max(0, part), seat);
  }

  /** Moves the focus to the first free seat that is shown, or to the list's head. */
  focus() {
    const button = this.buttons.get(this.current) ?? this.select;
    button.focus();
  }

  /** @param {number} part @param {number} [seat] */
  #turn(part, seat = -1) {
    const { section, choice } = this;
    if (!section || !this.parts[part]) return;
    this.part = part;
    this.buttons.clear();
    this.current = -1;
    fill(this.rows, this.parts[part].map((row) => this.#row(section, row)));
    const free = [...this.buttons.keys()].find((one) => choice.suits(one));
    this.#stop(seat >= 0 ? seat : (free ?? this.buttons.keys().next().value ?? -1));
    const [first, last] = [this.parts[part][0], this.parts[part][this.parts[part].length - 1]];
    say($('#section-part'), t('seats.section.part', { first: alone(first.name), last: alone(last.name) }));
    show($('#section-parts'), this.parts.length > 1);
    set($('#section-before'), 'disabled', part === 0);
    set($('#section-after'), 'disabled', part === this.parts.length - 1);
    this.#count();
  }

  /** @param {Section} section @param {Row} row */
  #row(section, row) {
    const seats = section.seats.subarray(row.first, row.first + row.count);
    const label = t('seats.row', { row: alone(row.name) });
    const buttons = [...seats].map((seat) => this.#button(seat));
    return el(
      'div',
      { class: 'seat-row', role: 'group', 'aria-label': label },
      el('span', { class: 'row-name', 'aria-hidden': 'true', dir: 'auto' }, row.name),
      el('div', { class: 'row-seats' }, buttons),
    );
  }

  /** @param {number} seat */
  #button(seat) {
    const { seat_number } = this.choice.venue.seats[seat];
    const button = el('button', { type: 'button', tabindex: -1, dataset: { seat: String(seat) } }, String(seat_number));
    this.buttons.set(seat, button);
    this.#refresh(seat);
    return button;
  }

  /** @param {number} seat */
  #refresh(seat) {
    const button = this.buttons.get(seat);
    if (!button) return;
    const { choice } = this;
    const { of } = choice.states;
    const own = choice.mine.has(seat);
    const picked = choice.picked.has(seat);
    const state = own ? 'mine' : picked ? 'picked' : of[seat] === AVAILABLE ? 'free' : 'taken';
    const out = state === 'free' && !choice.suits(seat);
    const name = `seat seat-${state}${out ? ' seat-out' : ''} band-${choice.venue.band[seat]}`;
    if (button.className === name) return;
    button.className = name;
    const { seat_number, row, seat_price } = choice.venue.seats[seat];
    const told = state === 'free' || state === 'picked' ? money(seat_price) : t(`seats.state.${state}`);
    // What is written on it comes first: that is what is said to press it by voice.
    set(button, 'aria-label', `${seat_number}, ${t('seats.row', { row: alone(row) })}, ${told}`);
    set(button, 'aria-pressed', String(picked));
    set(button, 'aria-disabled', state === 'taken' || own ? 'true' : null);
    this.#count();
  }

  #count() {
    if (!this.section) return;
    const free = this.choice.states.inSection[this.section.index];
    say($('#section-free'), t('seats.free', { n: free, of: count(this.section.seats.length) }));
  }

  /** Makes a seat the one in the order of tabs. @param {number} seat */
  #stop(seat) {
    this.buttons.get(this.current)?.setAttribute('tabindex', '-1');
    this.current = seat;
    this.buttons.get(seat)?.setAttribute('tabindex', '0');
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const seat = seatOf(event.target);
    if (seat < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = this.#to(event.key, seat);
    if (to === undefined) return;
    event.preventDefault();
    this.buttons.get(to)?.focus();
  }

  /** Where a key leads to from a seat. @param {string} key @param {number} from @returns {number | undefined} */
  #to(key, from) {
    const { venue } = this.choice;
    const shown = [...this.buttons.keys()];
    const usable = (/** @type {number} */ seat) => this.choice.suits(seat) || this.choice.picked.has(seat);
    const row = (/** @type {number} */ seat) => venue.row[seat];
    const place = shown.indexOf(from);
    const before = shown.slice(0, place).reverse().filter(usable);
    const after = shown.slice(place + 1).filter(usable);
    const above = (/** @type {number[]} */ seats) => {
      const next = seats.find((seat) => row(seat) !== row(from));
      if (next === undefined) return undefined;
      const line = seats.filter((seat) => row(seat) === row(next));
      const apart = (/** @type {number} */ seat) => Math.abs(venue.x[seat] - venue.x[from]) + Math.abs(venue.y[seat] - venue.y[from]);
      return line.reduce((one, other) => (apart(other) < apart(one) ? other : one));
    };
    switch (key) {
      case 'ArrowLeft': return before[0];
      case 'ArrowRight': return after[0];
      case 'ArrowUp': return above(before);
      case 'ArrowDown': return above(after);
      case 'Home': return shown.find((seat) => row(seat) === row(from) && usable(seat));
      case 'End': return shown.filter((seat) => row(seat) === row(from) && usable(seat)).at(-1);
      default: return undefined;
    }
  }
}

/** @param {EventTarget | null} target */
function seatOf(target) {
  const button = target instanceof Element ? target.closest('button[data-seat]') : null;
  return button instanceof HTMLElement ? Number(button.dataset.seat) : -1;
}

/** A section's rows in parts with room for their buttons; a row that is too long is cut. @param {Section} section @returns {Row[][]} */
export function parted(section) {
  /** @type {Row[][]} */
  const parts = [[]];
  let buttons = 0;
  for (const row of section.rows) {
    for (let from = 0; from < row.count; from += MOST_BUTTONS) {
      const many = Math.min(MOST_BUTTONS, row.count - from);
      if (buttons + many > MOST_BUTTONS && buttons > 0) {
        parts.push([]);
        buttons = 0;
      }
      parts[parts.length - 1].push({ name: row.name, first: row.first + from, count: many });
      buttons += many;
    }
  }
  return parts;
}
