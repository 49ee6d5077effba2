// @ts-check
/** The bar at the foot: the time left, the picked seats, and the next step. It is always visible. */
import { announce } from '../lib/announce.js';
import { msUntil } from '../lib/clock.js';
import { $, el, setChildren, setText, setAttribute, setVisible } from '../lib/dom.js';
import { countdown, money, t } from '../lib/text.js';
import { seatName, shortName } from './names.js';

/** Below this time left it is shown as urgent, and at these times it is announced, in ms. */
const URGENT_MS = 60_000;
const ANNOUNCE_MS = [120_000, 60_000, 30_000, 10_000];

/**
 * @typedef {object} BarData what the bar shows
 * @property {import('./choice.js').Choice} choice
 * @property {import('./turn.js').Turn} turn
 * @property {() => string} phase
 * @property {() => {hold: string, ends: string, seats: number}[]} holds
 */

export class Bar {
  /**
   * @param {number} schedule @param {BarData} data
   * @param {{drop: (seat: number) => void, hold: () => void, lapsed: () => void}} handlers
   */
  constructor(schedule, data, handlers) {
    this.schedule = schedule;
    this.data = data;
    this.handlers = handlers;
    this.button = /** @type {HTMLButtonElement} */ ($('#hold'));
    this.busy = false;
    this.warned = Infinity;
    /** The values that each part shows. A part with unchanged values is not replaced, so it keeps the focus. @type {Map<string, string>} */
    this.shownValues = new Map();
    this.button.addEventListener('click', () => {
      if (!this.busy && data.choice.picked.size > 0) handlers.hold();
    });
    data.choice.on('picks', () => this.refresh());
    this.refresh();
  }

  /** Updates all parts. */
  refresh() {
    const { choice, turn } = this.data;
    const active = turn.state === 'active';
    $('#bar').dataset.turn = turn.state;
    setVisible($('#turn-left'), active);
    setVisible($('#turn-note'), !active);
    setVisible($('#picks'), active);
    setVisible($('#buy'), active);
    if (!active) this.#showNote();
    this.#showPicks();
    setText($('#total'), choice.picked.size > 0 ? money(choice.total) : '');
    const many = choice.picked.size;
    const says = many === 0 ? t('seats.hold.none') : t('seats.hold', { n: many });
    setText(this.button, this.busy ? t('seats.holding') : says);
    setAttribute(this.button, 'aria-disabled', this.busy || choice.picked.size === 0 ? 'true' : null);
    this.#showHolds();
    this.tick();
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.busy = busy;
    this.refresh();
  }

  /**
   * Fills a part if its values have changed.
   * @param {string} part @param {unknown[]} values @param {() => import('../lib/dom.js').Child[]} children
   */
  #fillPart(part, values, children) {
    const made = JSON.stringify(values);
    if (this.shownValues.get(part) === made) return;
    this.shownValues.set(part, made);
    setChildren($(part), ...children());
  }

  /** Shows why no seats can be picked now, and where to go. */
  #showNote() {
    const { turn } = this.data;
    const phase = this.data.phase();
    const line = `/schedules/${this.schedule}/wait`;
    const key = chooseNote(turn.state, turn.ticket?.status ?? '', phase);
    const goes = key !== 'unknown' && key !== 'closed';
    this.#fillPart('#turn-note', [key], () => [
      el('p', null, t(`seats.turn.${key}`)),
      goes && el('a', { class: 'button', href: line }, t(`seats.turn.${key}.go`)),
    ]);
  }

  #showPicks() {
    const { choice } = this.data;
    const { picked, remaining, venue } = choice;
    if (picked.size === 0) {
      const hint = remaining > 0 ? t('seats.hint', { n: remaining }) : t('seats.hint.full');
      return this.#fillPart('#picks', [hint], () => [el('p', { class: 'picks-hint' }, hint)]);
    }
    const chip = (/** @type {number} */ seat) => {
      const one = venue.seats[seat];
      const name = venue.sections.length > 1 ? seatName(one) : shortName(one);
      return el(
        'li',
        { class: 'chip' },
        el('span', { class: `swatch band-${venue.band[seat]}`, 'aria-hidden': 'true' }),
        el('span', null, name),
        el('button', { type: 'button', 'aria-label': t('seats.drop', { seat: name }), on: { click: () => this.handlers.drop(seat) } }, '×'),
      );
    };
    const label = t('seats.picked', { n: picked.size });
    return this.#fillPart('#picks', [...picked], () => [el('ul', { 'aria-label': label }, [...picked].map(chip))]);
  }

  /** Shows the holds that wait for payment, with the time left and a link to pay. */
  #showHolds() {
    const live = this.data.holds().filter(({ ends }) => msUntil(ends) > 0);
    setVisible($('#held'), live.length > 0);
    const row = (/** @type {{hold: string, ends: string, seats: number}} */ { hold, ends, seats }) =>
      el(
        'p',
        { class: 'held' },
        el('span', null, t('seats.held', { n: seats })),
        el('b', { class: 'clock', dataset: { until: ends } }, countdown(msUntil(ends))),
        el('a', { class: 'button small', href: `/holds/${hold}` }, t('seats.held.go')),
      );
    this.#fillPart('#held', live, () => live.map(row));
  }

  /** Once a second: the time left. */
  tick() {
    for (const clock of document.querySelectorAll('#held [data-until]')) {
      const ends = /** @type {HTMLElement} */ (clock).dataset.until ?? '';
      setText(clock, countdown(msUntil(ends)));
      if (msUntil(ends) > 0) continue;
      clock.closest('.held')?.remove();
      this.handlers.lapsed();
    }
    const { ends } = this.data.turn;
    if (!ends) return;
    const left = msUntil(ends);
    setText($('#turn-clock'), countdown(left));
    $('#turn-left').classList.toggle('urgent', left < URGENT_MS);
    const due = ANNOUNCE_MS.filter((at) => left <= at).at(-1);
    if (due !== undefined && due < this.warned && left > 0) {
      announce(t('seats.turn.left', { time: countdown(left) }), { urgent: due <= URGENT_MS });
    }
    this.warned = due ?? Infinity;
  }
}

/** Chooses the note to show. @param {string} state @param {string} status @param {string} phase */
function chooseNote(state, status, phase) {
  if (state === 'waiting') return 'waiting';
  if (state === 'unknown') return 'unknown';
  if (phase === 'CLOSED') return 'closed';
  if (state === 'over') return status === 'COMPLETED' ? 'completed' : 'over';
  if (phase === 'UPCOMING') return 'upcoming';
  return phase === 'SOLD_OUT' ? 'sold_out' : 'none';
}
