// @ts-check
/**
 * The seats of one section as buttons, for keyboards, touch and screen readers.
 *
 * One button is a tab stop; arrow keys move from it to other free seats. Large sections are split into
 * parts.
 */
import { $, el, setChildren, setText, setAttribute, setVisible } from '../lib/dom.js';
import { money, t } from '../lib/text.js';
import { isolate, formatCount } from './names.js';
import { AVAILABLE } from './states.js';

/** Maximum number of buttons in a part. */
const MAX_BUTTONS = 480;
/** The free counts in the list of sections are updated at most this often, in ms. */
const COUNTS_MS = 1000;

/** @typedef {import('./venue.js').Section} Section */
/** @typedef {import('./venue.js').Row} Row */

export class SectionList {
  /**
   * @param {import('./choice.js').Choice} choice
   * @param {{pick: (seat: number) => void, pointed: (seat: number) => void, opened: (section: Section) => void}} handlers
   */
  constructor(choice, handlers) {
    this.choice = choice;
    this.handlers = handlers;
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
    /** The seat whose button is the tab stop. */
    this.current = -1;
    this.#addListeners();
  }

  #addListeners() {
    const { choice, select, rows } = this;
    const options = choice.venue.sections.map(({ name, index }) => el('option', { value: String(index) }, name));
    setChildren(select, el('option', { value: '' }, t('seats.section.choose')), options);
    const showCounts = () =>
      choice.venue.sections.forEach(({ name, index }) => {
        setText(options[index], t('seats.section.option', { section: isolate(name), n: choice.states.freeInSection[index] }));
      });
    // A list must not change while it is open. When it closes, it shows the current counts again.
    let due = 0;
    const later = () => {
      due ||= window.setTimeout(() => {
        due = 0;
        if (document.activeElement !== select) showCounts();
      }, COUNTS_MS);
    };
    choice.on('seats', later);
    select.addEventListener('focus', showCounts);
    select.addEventListener('pointerdown', showCounts);
    select.addEventListener('blur', showCounts);
    showCounts();
    select.addEventListener('change', () => {
      const section = choice.venue.sections[Number(select.value)];
      if (select.value !== '' && section) this.handlers.opened(section);
    });
    rows.addEventListener('click', (event) => {
      const seat = seatOf(event.target);
      if (seat >= 0) this.handlers.pick(seat);
    });
    rows.addEventListener('focusin', (event) => {
      const seat = seatOf(event.target);
      if (seat < 0) return;
      this.#setTabStop(seat);
      this.handlers.pointed(seat);
    });
    rows.addEventListener('focusout', () => this.handlers.pointed(-1));
    rows.addEventListener('keydown', (event) => this.#onKeyDown(event));
    for (const [id, by] of /** @type {[string, number][]} */ ([
      ['#section-before', -1],
      ['#section-after', 1],
    ])) {
      $(id).addEventListener('click', () => this.#showPart(this.part + by));
    }
    choice.on('seats', (seats) => seats.forEach((seat) => this.#refreshButton(seat)));
    choice.on('picks', () => this.buttons.forEach((_, seat) => this.#refreshButton(seat)));
  }

  /** Opens a section, at a seat if one is given. @param {Section} section @param {number} [seat] */
  open(section, seat = -1) {
    const row = seat < 0 ? undefined : section.rows[this.choice.venue.row[seat]];
    if (section !== this.section) {
      this.section = section;
      this.parts = splitIntoParts(section);
      this.select.value = String(section.index);
      setText($('#section-name'), section.name);
      setVisible($('#section-open'), true);
    }
    const part = row ? this.parts.findIndex((rows) => rows.some(({ name }) => name === row.name)) : 0;
    this.#showPart(Math.max(0, part), seat);
  }

  /** Focuses the tab stop, or the list of sections if there is none. */
  focus() {
    const button = this.buttons.get(this.current) ?? this.select;
    button.focus();
  }

  /** @param {number} part @param {number} [seat] */
  #showPart(part, seat = -1) {
    const { section, choice } = this;
    if (!section || !this.parts[part]) return;
    this.part = part;
    this.buttons.clear();
    this.current = -1;
    setChildren(
      this.rows,
      this.parts[part].map((row) => this.#createRow(section, row)),
    );
    const free = [...this.buttons.keys()].find((one) => choice.isSelectable(one));
    this.#setTabStop(seat >= 0 ? seat : (free ?? this.buttons.keys().next().value ?? -1));
    const [first, last] = [this.parts[part][0], this.parts[part][this.parts[part].length - 1]];
    setText($('#section-part'), t('seats.section.part', { first: isolate(first.name), last: isolate(last.name) }));
    setVisible($('#section-parts'), this.parts.length > 1);
    setAttribute($('#section-before'), 'disabled', part === 0);
    setAttribute($('#section-after'), 'disabled', part === this.parts.length - 1);
    this.#showFreeCount();
  }

  /** @param {Section} section @param {Row} row */
  #createRow(section, row) {
    const seats = section.seats.subarray(row.first, row.first + row.count);
    const label = t('seats.row', { row: isolate(row.name) });
    const buttons = [...seats].map((seat) => this.#createButton(seat));
    return el(
      'div',
      { class: 'seat-row', role: 'group', 'aria-label': label },
      el('span', { class: 'row-name', 'aria-hidden': 'true', dir: 'auto' }, row.name),
      el('div', { class: 'row-seats' }, buttons),
    );
  }

  /** @param {number} seat */
  #createButton(seat) {
    const { seat_number } = this.choice.venue.seats[seat];
    const button = el('button', { type: 'button', tabindex: -1, dataset: { seat: String(seat) } }, String(seat_number));
    this.buttons.set(seat, button);
    this.#refreshButton(seat);
    return button;
  }

  /** @param {number} seat */
  #refreshButton(seat) {
    const button = this.buttons.get(seat);
    if (!button) return;
    const { choice } = this;
    const { states } = choice.states;
    const own = choice.mine.has(seat);
    const picked = choice.picked.has(seat);
    const state = own ? 'mine' : picked ? 'picked' : states[seat] === AVAILABLE ? 'free' : 'taken';
    const out = state === 'free' && !choice.isSelectable(seat);
    const name = `seat seat-${state}${out ? ' seat-out' : ''} band-${choice.venue.band[seat]}`;
    if (button.className === name) return;
    button.className = name;
    const { seat_number, row, seat_price } = choice.venue.seats[seat];
    const detail = state === 'free' || state === 'picked' ? money(seat_price) : t(`seats.state.${state}`);
    // The label starts with the visible number, which voice control users say.
    setAttribute(button, 'aria-label', `${seat_number}, ${t('seats.row', { row: isolate(row) })}, ${detail}`);
    setAttribute(button, 'aria-pressed', String(picked));
    setAttribute(button, 'aria-disabled', state === 'taken' || own ? 'true' : null);
    this.#showFreeCount();
  }

  #showFreeCount() {
    if (!this.section) return;
    const free = this.choice.states.freeInSection[this.section.index];
    setText($('#section-free'), t('seats.free', { n: free, of: formatCount(this.section.seats.length) }));
  }

  /** Makes a seat's button the tab stop. @param {number} seat */
  #setTabStop(seat) {
    this.buttons.get(this.current)?.setAttribute('tabindex', '-1');
    this.current = seat;
    this.buttons.get(seat)?.setAttribute('tabindex', '0');
  }

  /** @param {KeyboardEvent} event */
  #onKeyDown(event) {
    const seat = seatOf(event.target);
    if (seat < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = this.#findTarget(event.key, seat);
    if (to === undefined) return;
    event.preventDefault();
    this.buttons.get(to)?.focus();
  }

  /** The seat to which a key moves the focus. @param {string} key @param {number} from @returns {number | undefined} */
  #findTarget(key, from) {
    const { venue } = this.choice;
    const shown = [...this.buttons.keys()];
    const usable = (/** @type {number} */ seat) => this.choice.isSelectable(seat) || this.choice.picked.has(seat);
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
      case 'ArrowLeft':
        return before[0];
      case 'ArrowRight':
        return after[0];
      case 'ArrowUp':
        return above(before);
      case 'ArrowDown':
        return above(after);
      case 'Home':
        return shown.find((seat) => row(seat) === row(from) && usable(seat));
      case 'End':
        return shown.filter((seat) => row(seat) === row(from) && usable(seat)).at(-1);
      default:
        return undefined;
    }
  }
}

/** @param {EventTarget | null} target */
function seatOf(target) {
  const button = target instanceof Element ? target.closest('button[data-seat]') : null;
  return button instanceof HTMLElement ? Number(button.dataset.seat) : -1;
}

/**
 * Splits a section's rows into parts of at most `MAX_BUTTONS` seats. A row that is too long is split.
 * @param {Section} section
 * @returns {Row[][]}
 */
export function splitIntoParts(section) {
  /** @type {Row[][]} */
  const parts = [[]];
  let buttons = 0;
  for (const row of section.rows) {
    for (let from = 0; from < row.count; from += MAX_BUTTONS) {
      const many = Math.min(MAX_BUTTONS, row.count - from);
      if (buttons + many > MAX_BUTTONS && buttons > 0) {
        parts.push([]);
        buttons = 0;
      }
      parts[parts.length - 1].push({ name: row.name, first: row.first + from, count: many });
      buttons += many;
    }
  }
  return parts;
}
