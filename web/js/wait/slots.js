// @ts-check
/**
 * The waiting page's parts, which a custom waiting page has too (docs/PAGES.md):
 *   data-slot="name"  is filled with a text
 *   data-when="state" is shown in these states only
 *   data-if="name"    is shown while a condition holds
 *   data-do="name"    runs an action when it is clicked or submitted
 */
import { $$, setText, setVisible } from '../lib/dom.js';

/** @typedef {'loading' | 'early' | 'join' | 'waiting' | 'draw' | 'active' | 'ended'} State */

/** Fills every slot of this name. Its styles cut a text that is too long. @param {string} name @param {string | number} text */
export function fillSlots(name, text) {
  for (const slot of $$(`[data-slot="${name}"]`)) setText(slot, text);
}

/** Finds the slots of this name. @param {string} name */
export const findSlots = (name) => $$(`[data-slot="${name}"]`);

/** Shows the parts of a state and hides the others. @param {State} state */
export function showState(state) {
  for (const part of $$('[data-when]')) setVisible(part, (part.dataset.when ?? '').split(' ').includes(state));
  document.body.dataset.state = state;
}

/** Shows or hides the parts of a condition. @param {string} name @param {boolean} on */
export function showIf(name, on) {
  for (const part of $$(`[data-if="${name}"]`)) setVisible(part, on);
}

/** Shows a text with its part, or hides the part if there is no text. @param {string} name @param {string | null} text */
export function showText(name, text) {
  if (text) fillSlots(name, text);
  showIf(name, Boolean(text));
}

/**
 * Calls `act` when a part of this name is clicked, or submitted if it is a form.
 * @param {string} name @param {(part: HTMLElement) => unknown} act
 */
export function onAction(name, act) {
  for (const part of $$(`[data-do="${name}"]`)) {
    part.addEventListener(part instanceof HTMLFormElement ? 'submit' : 'click', (event) => {
      if (part instanceof HTMLFormElement) event.preventDefault();
      act(part);
    });
  }
}
