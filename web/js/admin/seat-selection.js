// @ts-check
/** The seats that the operator selects, and the rows of buttons to select them with. */
import { el, setAttribute, setChildren } from '../lib/dom.js';
import { groupBy } from '../lib/lists.js';
import { t } from '../lib/text.js';

/** @typedef {'free' | 'held' | 'sold' | 'blocked'} State */
/** @typedef {import('../onsale/types.d.ts').Seat} Seat */

/** Maximum number of seats shown at once. */
const SHOWN_SEATS = 600;

/** The selected seats, and the rows shown. */
export class SeatSelection {
  /** @param {Seat[]} seats @param {Map<number, State>} states @param {() => void} changed @param {boolean} mayChange */
  constructor(seats, states, changed, mayChange) {
    this.mayChange = mayChange;
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
    const fixed = state === 'held' || state === 'sold' || !this.mayChange;
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
        this.mayChange
          ? el(
              'button',
              {
                type: 'button',
                class: 'adm-row-name',
                title: t('admin.seats.wholerow'),
                'aria-label': t('admin.seats.wholerow.of', { row }),
                on: { click: () => this.toggle(seats) },
              },
              row,
            )
          : el('span', { class: 'adm-row-name' }, row),
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
