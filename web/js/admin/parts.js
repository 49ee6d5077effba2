// @ts-check
/** Elements that the parts of the console are built of. */
import { OnsaleError } from '../onsale.js';
import { toast } from '../lib/announce.js';
import { el, setAttribute, setChildren } from '../lib/dom.js';
import { errorText, hasText, number, t } from '../lib/text.js';

/** @typedef {import('../lib/dom.js').Child} Child */

/**
 * The head of a part.
 * @param {string} title
 * @param {{ back?: [string, string], lead?: Child, actions?: Child[] }} [more] `back`: an address and its label
 */
export function heading(title, { back, lead, actions = [] } = {}) {
  return el(
    'header',
    { class: 'part-head' },
    el(
      'div',
      null,
      back && el('p', { class: 'back' }, el('a', { href: `#${back[0]}` }, back[1])),
      el('h1', { dir: 'auto' }, title),
      lead && el('p', { class: 'muted' }, lead),
    ),
    actions.length > 0 && el('div', { class: 'actions' }, actions),
  );
}

/** A card with a heading. @param {string} title @param {...(Child | Child[])} children */
export function card(title, ...children) {
  return el('section', { class: 'card' }, el('h2', null, title), ...children);
}

/**
 * A field with a label and a hint.
 * @param {string} label
 * @param {HTMLElement} input
 * @param {{ hint?: string, unit?: string }} [more]
 */
export function field(label, input, { hint, unit } = {}) {
  input.id ||= `field-${(fields += 1)}`;
  const hintId = `${input.id}-hint`;
  if (hint) input.setAttribute('aria-describedby', hintId);
  return el(
    'div',
    { class: 'adm-field' },
    el('label', { for: input.id }, label),
    unit ? el('span', { class: 'with-unit' }, input, el('span', { class: 'unit' }, unit)) : input,
    hint && el('p', { class: 'hint', id: hintId }, hint),
  );
}
let fields = 0;

/** Tables with at least this many columns, and at most this many rows, become lists on a small screen. */
const [LIST_COLUMNS, LIST_ROWS] = [4, 50];

/** Makes a table a tab stop while it scrolls, so that it can be scrolled by keyboard. @type {ResizeObserver | null} */
let widths = null;

/** @param {HTMLElement} wrap */
function watchWidth(wrap) {
  widths ??= new ResizeObserver((entries) => {
    for (const { target } of entries) setAttribute(target, 'tabindex', target.scrollWidth > target.clientWidth + 1 ? 0 : null);
  });
  widths.observe(wrap);
  return wrap;
}

/**
 * A table. On a small screen, each row of a wide table becomes a block with a line for each column; other tables
 * scroll if they are too wide. The roles keep it a table for screen readers in both forms.
 * @param {string} caption for screen readers
 * @param {{ text: string, number?: boolean }[]} heads
 * @param {Child[][]} rows
 */
export function table(caption, heads, rows) {
  const cell = (/** @type {Child} */ child, /** @type {number} */ at) =>
    el(
      at === 0 ? 'th' : 'td',
      {
        scope: at === 0 ? 'row' : null,
        role: at === 0 ? 'rowheader' : 'cell',
        class: heads[at]?.number ? 'number' : null,
        dir: heads[at]?.number ? null : 'auto',
        dataset: { label: heads[at]?.text ?? '' },
      },
      child,
    );
  const head = heads.map(({ text, number }) => el('th', { scope: 'col', role: 'columnheader', class: number ? 'number' : null }, text));
  const isList = heads.length >= LIST_COLUMNS && rows.length <= LIST_ROWS;
  return watchWidth(
    el(
      'div',
      { class: isList ? 'table-wrap as-list' : 'table-wrap', role: 'region', 'aria-label': caption },
      el(
        'table',
        { role: 'table' },
        el('caption', { class: 'unseen' }, caption),
        el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, head)),
        el(
          'tbody',
          { role: 'rowgroup' },
          rows.map((row) => el('tr', { role: 'row' }, row.map(cell))),
        ),
      ),
    ),
  );
}

/** A figure with its label. @param {string} label @param {Child} value @param {Child} [note] */
export function figure(label, value, note) {
  return el(
    'div',
    { class: 'figure' },
    el('dt', null, label),
    el('dd', null, el('strong', null, value), note && el('span', { class: 'muted' }, note)),
  );
}

/** A page for a part that could not be loaded, with a button to try again. @param {unknown} error @param {() => void} again */
export function failure(error, again) {
  const missing = OnsaleError.from(error).status === 404;
  return el(
    'div',
    { class: 'card failure' },
    el('h1', null, missing ? t('admin.nowhere') : t('admin.failed')),
    el('p', { role: 'alert' }, errorText(error)),
    el(
      'p',
      null,
      el('button', { type: 'button', class: 'button', on: { click: again } }, t('admin.again')),
      ' ',
      el('a', { class: 'plain-link', href: '#/' }, t('admin.back.sales')),
    ),
  );
}

/**
 * Runs a button's or form's action, one at a time, and shows errors.
 * @param {HTMLButtonElement} button
 * @param {() => Promise<void>} act
 */
export async function runOnce(button, act) {
  // The button is not disabled meanwhile, since it would lose the focus that a dialog restores.
  if (busy.has(button)) return;
  busy.add(button);
  button.setAttribute('aria-busy', 'true');
  try {
    await act();
  } catch (error) {
    toast(problemText(error), { error: true });
  } finally {
    busy.delete(button);
    button.removeAttribute('aria-busy');
  }
}
/** @type {WeakSet<HTMLButtonElement>} */
const busy = new WeakSet();

/** The kinds of fields, in the keys of their labels. */
const FIELD_KINDS = ['setting', 'time', 'venue', 'concert'];

/** The label of a field as the page has it, or its name. @param {string} name */
export function fieldLabel(name) {
  const key = FIELD_KINDS.map((kind) => `admin.${kind}.${name}`).find(hasText);
  return key ? t(key) : name;
}

/**
 * The place of a field as the page names it: `/sections/2/rows` is `Section 3, Rows`.
 * @param {string} pointer
 */
export function pointerText(pointer) {
  const parts = pointer.split('/').slice(1);
  const at = parts.findIndex((part) => /^\d+$/.test(part));
  const name = parts.at(-1) ?? '';
  if (at < 0) return fieldLabel(name);
  const line = t('admin.error.line', { n: Number(parts[at]) + 1 });
  return at === parts.length - 1 ? line : `${line}, ${fieldLabel(name)}`;
}

/** The text of an error, with each invalid field. @param {unknown} error */
export function problemText(error) {
  const { code, detail: text, errors, paid, held } = OnsaleError.from(error);
  const wrong = (errors ?? []).map(({ pointer, detail }) => `${pointerText(pointer)}: ${detail}`);
  // The detail names two times in the wrong order: `deadline_at must not be after concert_at`.
  const [first, last] = code === 'invalid_times' ? (text.match(/[a-z]+(?:_[a-z]+)+/g) ?? []) : [];
  const detail = first && last ? [t('admin.error.times', { first: fieldLabel(first), last: fieldLabel(last) })] : [];
  if (code === 'has_buyers') detail.push(t('admin.error.buyers', { paid: number(paid ?? 0), held: number(held ?? 0) }));
  const own = `admin.error.${code}`;
  return [hasText(own) ? t(own) : errorText(error), ...wrong, ...detail].join(' ');
}

/**
 * A form whose button runs an action.
 * @param {string} yes
 * @param {() => Promise<void>} act
 * @param {...(Child | Child[])} children
 */
export function form(yes, act, ...children) {
  const button = el('button', { type: 'submit', class: 'button' }, yes);
  const message = el('p', { class: 'strip strip-bad', role: 'alert', hidden: true });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    message.hidden = true;
    await runOnce(button, async () => {
      try {
        await act();
      } catch (error) {
        setChildren(message, problemText(error));
        message.hidden = false;
        message.scrollIntoView({ block: 'nearest' });
      }
    });
  };
  return el('form', { class: 'adm-form', on: { submit } }, ...children, message, el('div', { class: 'actions' }, button));
}

/** The phase of a sale as a badge. @param {string} phase */
export const phaseBadge = (phase) => el('span', { class: `badge badge-${phase.toLowerCase()}` }, t(`admin.phase.${phase}`));

/** Formats a time for `datetime-local`, to the minute, in the reader's time zone. @param {string | number | Date} at */
export function localInput(at) {
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The name of the reader's time zone. */
export const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
