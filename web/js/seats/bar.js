// @ts-check
/** The bar at the foot: the time left, what is picked, and what to do next. Always in sight. */
import { announce } from '../lib/announce.js';
import { until } from '../lib/clock.js';
import { $, el, fill, say, set, show } from '../lib/dom.js';
import { countdown, money, t } from '../lib/text.js';
import { seatName, shortName } from './say.js';

/** From so little time on it is shown as urgent, in ms; and told to listeners at these. */
const URGENT_MS = 60_000;
const TOLD_MS = [120_000, 60_000, 30_000, 10_000];

/**
 * @typedef {object} Known what the bar tells of
 * @property {import('./choice.js').Choice} choice
 * @property {import('./turn.js').Turn} turn
 * @property {() => string} phase
 * @property {() => {hold: string, ends: string, seats: number}[]} holds
 */

export class Bar {
  /**
   * @param {number} schedule @param {Known} known
   * @param {{drop: (seat: number) => void, hold: () => void, lapsed: () => void}} told
   */
  constructor(schedule, known, told) {
    this.schedule = schedule;
    this.known = known;
    this.told = told;
    this.button = /** @type {HTMLButtonElement} */ ($('#hold'));
    this.busy = false;
    this.warned = Infinity;
    /** What each part was made of: what has not changed keeps the focus. @type {Map<string, string>} */
    this.made = new Map();
    this.button.addEventListener('click', () => {
      if (!this.busy && known.choice.picked.size > 0) told.hold();
    });
    known.choice.on('picks', () => this.refresh());
    this.refresh();
  }

  /** Tells everything anew. */
  refresh() {
    const { choice, turn } = this.known;
    const active = turn.standing === 'active';
    $('#bar').dataset.standing = turn.standing;
    show($('#turn-left'), active);
    show($('#turn-note'), !active);
    show($('#picks'), active);
    show($('#buy'), active);
    if (!active) this.#note();
    this.#picks();
    say($('#total'), choice.picked.size > 0 ? money(choice.total) : '');
    const many = choice.picked.size;
    const says = many === 0 ? t('seats.hold.none') : t('seats.hold', { n: many });
    say(this.button, this.busy ? t('seats.holding') : says);
    set(this.button, 'aria-disabled', this.busy || choice.picked.size === 0 ? 'true' : null);
    this.#holds();
    this.tick();
  }

  /** @param {boolean} busy */
  working(busy) {
    this.busy = busy;
    this.refresh();
  }

  /** Fills a part, where it was made of something else before. @param {string} part @param {any[]} of @param {() => any[]} children */
  #part(part, of, children) {
    const made = JSON.stringify(of);
    if (this.made.get(part) === made) return;
    this.made.set(part, made);
    fill($(part), ...children());
  }

  /** What whoever can't pick now is told, and where to go. */
  #note() {
    const { turn } = this.known;
    const phase = this.known.phase();
    const line = `/schedules/${this.schedule}/wait`;
    const key = noteOf(turn.standing, turn.ticket?.status ?? '', phase);
    const goes = key !== 'unknown' && key !== 'closed';
    this.#part('#turn-note', [key], () => [
      el('p', null, t(`seats.turn.${key}`)),
      goes && el('a', { class: 'button', href: line }, t(`seats.turn.${key}.go`)),
    ]);
  }

  #picks() {
    const { choice } = this.known;
    const { picked, room, venue } = choice;
    if (picked.size === 0) {
      const hint = room > 0 ? t('seats.hint', { n: room }) : t('seats.hint.full');
      return this.#part('#picks', [hint], () => [el('p', { class: 'picks-hint' }, hint)]);
    }
    const chip = (/** @type {number} */ seat) => {
      const one = venue.seats[seat];
      const name = venue.sections.length > 1 ? seatName(one) : shortName(one);
      return el(
        'li',
        { class: 'chip' },
        el('span', { class: `swatch band-${venue.band[seat]}`, 'aria-hidden': 'true' }),
        el('span', null, name),
        el('button', { type: 'button', 'aria-label': t('seats.drop', { seat: name }), on: { click: () => this.told.drop(seat) } }, '×'),
      );
    };
    const label = t('seats.picked', { n: picked.size });
    return this.#part('#picks', [...picked], () => [el('ul', { 'aria-label': label }, [...picked].map(chip))]);
  }

  /** Holds that wait for payment: the way to pay them, and how long it is open. */
  #holds() {
    const live = this.known.holds().filter(({ ends }) => until(ends) > 0);
    show($('#held'), live.length > 0);
    const row = (/** @type {{hold: string, ends: string, seats: number}} */ { hold, ends, seats }) =>
      el(
        'p',
        { class: 'held' },
        el('span', null, t('seats.held', { n: seats })),
        el('b', { class: 'clock', dataset: { until: ends } }, countdown(until(ends))),
        el('a', { class: 'button small', href: `/holds/${hold}` }, t('seats.held.go')),
      );
    this.#part('#held', live, () => live.map(row));
  }

  /** Once a second: what is left. */
  tick() {
    for (const clock of document.querySelectorAll('#held [data-until]')) {
      const ends = /** @type {HTMLElement} */ (clock).dataset.until ?? '';
      say(clock, countdown(until(ends)));
      if (until(ends) > 0) continue;
      clock.closest('.held')?.remove();
      this.told.lapsed();
    }
    const { ends } = this.known.turn;
    if (!ends) return;
    const left = until(ends);
    say($('#turn-clock'), countdown(left));
    $('#turn-left').classList.toggle('urgent', left < URGENT_MS);
    const due = TOLD_MS.filter((at) => left <= at).at(-1);
    if (due !== undefined && due < this.warned && left > 0) {
      announce(t('seats.turn.left', { time: countdown(left) }), { urgent: due <= URGENT_MS });
    }
    this.warned = due ?? Infinity;
  }
}

/** Which note fits. @param {string} standing @param {string} status @param {string} phase */
function noteOf(standing, status, phase) {
  if (standing === 'waiting') return 'waiting';
  if (standing === 'unknown') return 'unknown';
  if (phase === 'CLOSED') return 'closed';
  if (standing === 'over') return status === 'COMPLETED' ? 'completed' : 'over';
  if (phase === 'UPCOMING') return 'upcoming';
  return phase === 'SOLD_OUT' ? 'sold_out' : 'none';
}
