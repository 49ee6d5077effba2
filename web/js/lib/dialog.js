// @ts-check
/** Dialogs. Escape and a click outside the dialog answer "no". */
import { el } from './dom.js';
import { t } from './text.js';

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string | Node | (string | Node)[]} [body]
 * @property {string} [yes] label of the button that confirms
 * @property {string | null} [no] label of the button that declines; null for no such button
 * @property {string} [other] label of a third button, whose answer is `OTHER`
 * @property {boolean} [danger] whether the action can't be undone
 */

/** The answer of the third button. */
export const OTHER = Symbol('other');

let count = 0;

/**
 * Opens a dialog with fields. Resolves to `answer()` if it was confirmed, to `OTHER` for the third button, else to null.
 * @template T
 * @param {Question} question
 * @param {Node[]} fields
 * @param {() => T} answer
 * @returns {Promise<T | typeof OTHER | null>}
 */
export function openDialog({ title, body = [], yes = t('common.ok'), no = t('common.cancel'), other, danger = false }, fields, answer) {
  const id = `dialog-${(count += 1)}`;
  const parts = [body].flat().map((part) => (typeof part === 'string' ? el('p', { dir: 'auto' }, part) : part));
  const form = el(
    'form',
    { method: 'dialog' },
    el('h2', { id, dir: 'auto' }, title),
    el('div', { class: 'dialog-body' }, parts, fields),
    other &&
      el(
        'p',
        null,
        el('button', { type: 'button', value: 'other', class: 'button plain', on: { click: () => dialog.close('other') } }, other),
      ),
    el(
      'div',
      { class: 'dialog-buttons' },
      // Not a submit button: the Enter key presses the first submit button.
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
 * Asks a yes-or-no question.
 * @param {Question} question
 * @returns {Promise<boolean>}
 */
export async function confirm(question) {
  return (await openDialog(question, [], () => true)) === true;
}

/**
 * Asks a question with three answers: true for yes, `OTHER` for the third button, else null.
 * @param {Question & { other: string }} question
 */
export const choose = (question) => openDialog(question, [], () => true);

/**
 * Asks for a text, which is never empty.
 * @param {Question & { label: string, value?: string, max?: number, type?: string, autocomplete?: string }} question
 * @returns {Promise<string | typeof OTHER | null>} null if the dialog was declined
 */
export function ask(question) {
  const { label, value = '', max = 100, type = 'text', autocomplete = 'off' } = question;
  const input = el('input', { type, maxlength: max, required: true, autocomplete, value, autofocus: true, pattern: '.*\\S.*' });
  return openDialog(
    { ...question, danger: question.danger ?? false },
    [el('label', { class: 'field' }, el('span', null, label), input)],
    () => input.value.trim(),
  );
}

/**
 * Shows a dialog with one button and waits until it is closed.
 * @param {Question} question
 * @returns {Promise<void>}
 */
export async function showInfo(question) {
  await openDialog({ yes: t('common.close'), ...question, no: null }, [], () => true);
}
