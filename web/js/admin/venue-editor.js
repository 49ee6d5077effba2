// @ts-check
/** The list of a venue's sections: edited, duplicated, moved, removed, and pasted from a spreadsheet. */
import { announce, toast } from '../lib/announce.js';
import { el, setChildren } from '../lib/dom.js';
import { number, t } from '../lib/text.js';
import { readSections } from './paste.js';
import { MAX_NAME, MAX_PER_CALL, MAX_PRICE, sizeOf } from './sections.js';

/** @typedef {import('./sections.js').Section} Section */
/** @typedef {'copy' | 'up' | 'down' | 'remove'} Action */

/** The buttons of a section, with their signs. @type {[Action, string][]} */
const ACTIONS = [
  ['copy', '⧉'],
  ['up', '↑'],
  ['down', '↓'],
  ['remove', '×'],
];
/** Maximum number of mistakes shown. */
const SHOWN_MISTAKES = 10;

/** A section with its fields. `fixed`: only its price can be changed. */
class Line {
  /** @param {Section} section @param {boolean} fixed @param {() => void} changed @param {(line: Line, action: Action) => void} act */
  constructor(section, fixed, changed, act) {
    this.section = section;
    this.fixed = fixed;
    // The rows of a fixed section may differ in length, so it shows the number of its seats instead.
    const isCount = (/** @type {string} */ name) => fixed && name === 'seats_per_row';
    const label = (/** @type {string} */ name) => (isCount(name) ? t('admin.conflict.seats.total') : t(`admin.venue.${name}`));
    const input = (
      /** @type {'name' | 'rows' | 'seats_per_row' | 'seat_price'} */ name,
      /** @type {import('../lib/dom.js').Props} */ more,
    ) =>
      el('input', {
        ...more,
        required: true,
        value: isCount(name) ? sizeOf(section) : section[name],
        'aria-label': label(name),
        disabled: name !== 'seat_price' && (fixed || (section.shape !== undefined && name !== 'name')),
        on: { input: changed },
      });
    const whole = { type: 'number', step: 1, inputmode: 'numeric' };
    this.inputs = {
      name: input('name', { type: 'text', maxlength: MAX_NAME, dir: 'auto', placeholder: t('admin.venue.name.example') }),
      rows: input('rows', { ...whole, min: 1, max: MAX_PER_CALL }),
      seats_per_row: input('seats_per_row', { ...whole, min: 1, max: MAX_PER_CALL }),
      seat_price: input('seat_price', { ...whole, min: 0, max: MAX_PRICE }),
    };
    const buttons = ACTIONS.map(([action, sign]) =>
      el(
        'button',
        {
          type: 'button',
          class: 'button quiet small',
          'aria-label': t(`admin.venue.${action}`),
          title: t(`admin.venue.${action}`),
          dataset: { action },
          on: { click: () => act(this, action) },
        },
        sign,
      ),
    );
    const cells = Object.entries(this.inputs).map(([name, one]) =>
      el('div', { class: `cell cell-${name}` }, el('span', { class: 'cell-label', 'aria-hidden': 'true' }, label(name)), one),
    );
    this.element = el('li', { class: 'section-line' }, cells, el('div', { class: 'cell-buttons' }, !fixed && buttons));
  }

  /** @returns {Section} */
  get value() {
    const { name, rows, seats_per_row, seat_price } = this.inputs;
    if (this.fixed) return { ...this.section, seat_price: Number(seat_price.value) };
    return {
      ...this.section,
      name: name.value,
      rows: Number(rows.value),
      seats_per_row: Number(seats_per_row.value),
      seat_price: Number(seat_price.value),
    };
  }

  /** Moves the focus to a button, or to the name. @param {Action} [action] */
  focus(action) {
    const button = /** @type {HTMLButtonElement | null} */ (action ? this.element.querySelector(`[data-action=${action}]`) : null);
    (button ?? (this.fixed ? this.inputs.seat_price : this.inputs.name)).focus();
  }
}

/**
 * The editor.
 * @param {(sections: Section[]) => void} changed
 */
export function sectionEditor(changed) {
  const list = el('ol', { class: 'section-lines' });
  /** @type {Line[]} */
  const lines = [];
  const values = () => lines.map((line) => line.value);
  const notify = () => changed(values());
  const act = (/** @type {Line} */ line, /** @type {Action} */ action) => {
    const at = lines.indexOf(line);
    if (action === 'remove') return remove(line, at);
    if (action === 'copy') {
      const copy = new Line({ ...line.value }, false, notify, act);
      lines.splice(at + 1, 0, copy);
      line.element.after(copy.element);
      copy.focus();
      copy.inputs.name.select();
      return notify();
    }
    const other = lines[action === 'up' ? at - 1 : at + 1];
    if (!other || other.fixed) return;
    [lines[at], lines[lines.indexOf(other)]] = [other, line];
    if (action === 'up') other.element.before(line.element);
    else other.element.after(line.element);
    // A moved element loses the focus.
    line.focus(action);
    announce(t('admin.venue.moved', { at: number(lines.indexOf(line) + 1), all: number(lines.length) }), { now: true });
    notify();
  };
  const remove = (/** @type {Line} */ line, /** @type {number} */ at) => {
    lines.splice(at, 1);
    line.element.remove();
    const next = lines[Math.min(at, lines.length - 1)];
    if (next) next.focus('remove');
    else more.focus();
    notify();
  };
  const add = (/** @type {Section[]} */ sections, fixed = false) => {
    const added = sections.map((section) => new Line(section, fixed, notify, act));
    lines.push(...added);
    list.append(...added.map(({ element }) => element));
    notify();
    return added;
  };
  const more = el(
    'button',
    {
      type: 'button',
      class: 'button quiet',
      on: { click: () => add([{ ...(lines.at(-1)?.value ?? FIRST), name: '', shape: undefined }])[0].focus() },
    },
    t('admin.venue.more'),
  );
  const element = el(
    'div',
    { class: 'section-editor' },
    list,
    more,
    pasteField((sections) => add(sections)[0]?.focus()),
  );
  return { element, values, add };
}

/** @type {Section} */
export const FIRST = { name: '', rows: 10, seats_per_row: 20, seat_price: 100_000 };

/** @param {import('./paste.js').Mistake} mistake */
function mistakeText({ line, column, name, problem, max }) {
  const place = t('admin.paste.place', { line: number(line), column: number(column), name: t(`admin.venue.${name}`) });
  return `${place}: ${t(`admin.paste.${problem}`, { max: number(max) })}`;
}

/** A field for text from a spreadsheet. @param {(sections: Section[]) => void} add */
function pasteField(add) {
  const text = el('textarea', { rows: 6, id: 'paste', spellcheck: 'false', dir: 'auto', 'aria-describedby': 'paste-hint paste-errors' });
  const errors = el('div', { id: 'paste-errors', role: 'alert' });
  const read = () => {
    const { sections, mistakes } = readSections(text.value);
    text.toggleAttribute('aria-invalid', mistakes.length > 0);
    const shown = mistakes.slice(0, SHOWN_MISTAKES).map((mistake) => el('li', null, mistakeText(mistake)));
    const more = mistakes.length - shown.length;
    setChildren(errors, shown.length > 0 && el('ul', { class: 'paste-errors' }, shown));
    if (more > 0) errors.append(el('p', null, t('admin.audit.more', { n: more })));
    if (mistakes.length > 0) return text.focus();
    if (sections.length === 0) return toast(t('admin.paste.none'), { error: true });
    text.value = '';
    add(sections);
    announce(t('admin.paste.done', { n: sections.length }), { now: true });
  };
  return el(
    'details',
    { class: 'more' },
    el('summary', null, t('admin.paste')),
    el('p', { class: 'hint', id: 'paste-hint' }, t('admin.paste.hint')),
    el('label', { for: 'paste' }, t('admin.paste.label')),
    text,
    errors,
    el('p', null, el('button', { type: 'button', class: 'button quiet', on: { click: read } }, t('admin.paste.go'))),
  );
}
