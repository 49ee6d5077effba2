// @ts-check
/** Questions. Escape and the back of the page answer with "no". */
import { el } from './dom.js';
import { t } from './text.js';

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string | Node | (string | Node)[]} [body]
 * @property {string} [yes] what the button says that does it
 * @property {string | null} [no] what the other one says; null: there is none
 * @property {string} [other] what a third button says, whose answer is `OTHER`
 * @property {boolean} [danger] whether it can't be undone
 */

/** The answer of the third button. */
export const OTHER = Symbol('other');

let count = 0;

/**
 * Opens a dialog, and gives what `answer` says when it was closed with "yes", else null.
 * @template T
 * @param {Question} question
 * @param {Node[]} fields
 * @param {() => T} answer
 * @returns {Promise<T | typeof OTHER | null>}
 */
function open({ title, body = [], yes = t('common.ok'), no = t('common.cancel'), other, danger = false }, fields, answer) {
  const id = `dialog-${(count += 1)}`;
  const parts = [body].flat().map((part) => (typeof part === 'string' ? el('p', { dir: 'auto' }, part) : part));
  const form = el(
    'form',
    { method: 'dialog' },
    el('h2', { id, dir: 'auto' }, title),
    el('div', { class: 'dialog-body' }, parts, fields),
    other && el('p', null, el('button', { type: 'button', value: 'other', class: 'button plain', on: { click: () => dialog.close('other') } }, other)),
    el(
      'div',
      { class: 'dialog-buttons' },
      // No submit button: the first of those answers the Enter key.
      no !== null && el('button', { type: 'button', value: 'no', class: 'button quiet', on: { click: () => dialog.close('no') } }, no),
      el('button', { type: 'submit', value: 'yes', class: danger ? 'button danger' : 'button', autofocus: danger ? null : true }, yes),
    ),
  );
  /** @type {HTMLDialogElement} */
  const dialog = el('dialog', { class: 'dialog', 'aria-labelledby': id }, form);
  const before = document.activeElement;
  return new Promise((resolve) => {
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close('no');
    });
    dialog.addEventListener('close', () => {
      const given = dialog.returnValue === 'yes' ? answer() : dialog.returnValue === 'other' ? OTHER : null;
      dialog.remove();
      if (before instanceof HTMLElement) before.focus();
      resolve(given);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Asks, and waits for the answer.
 * @param {Question} question
 * @returns {Promise<boolean>}
 */
export async function confirm(question) {
  return (await open(question, [], () => true)) === true;
}

/**
 * Asks for a text. The answer is never empty.
 * @param {Question & { label: string, value?: string, max?: number, type?: string, autocomplete?: string }} question
 * @returns {Promise<string | typeof OTHER | null>} null where there was no answer
 */
export function ask(question) {
  const { label, value = '', max = 100, type = 'text', autocomplete = 'off' } = question;
  const input = el('input', { type, maxlength: max, required: true, autocomplete, value, autofocus: true, pattern: '.*\\S.*' });
  return open({ ...question, danger: question.danger ?? false }, [el('label', { class: 'field' }, el('span', null, label), input)], () => input.value.trim());
}

/**
 * Shows something, and waits until it is closed.
 * @param {Question} question
 * @returns {Promise<void>}
 */
export async function tell(question) {
  await open({ yes: t('common.close'), ...question, no: null }, [], () => true);
}
