// @ts-check
/**
 * The waiting page's parts. A page of one's own has them too (docs/PAGES.md):
 *   data-slot="name"  is filled with a text
 *   data-when="state" is shown in that state only
 *   data-if="name"    is shown while that is so
 *   data-do="name"    does that, when it is pressed or sent
 */
import { $$, say, show } from '../lib/dom.js';

/** @typedef {'loading' | 'early' | 'join' | 'waiting' | 'draw' | 'active' | 'ended'} State */

/** Fills every slot of this name. What is longer than its slot is the slot's to cut. @param {string} name @param {string | number} text */
export function fill(name, text) {
  for (const slot of $$(`[data-slot="${name}"]`)) say(slot, text);
}

/** The slots of a name. @param {string} name */
export const slots = (name) => $$(`[data-slot="${name}"]`);

/** Shows the parts of a state, and no others. @param {State} state */
export function enter(state) {
  for (const part of $$('[data-when]')) show(part, (part.dataset.when ?? '').split(' ').includes(state));
  document.body.dataset.state = state;
}

/** Shows parts while something is so. @param {string} name @param {boolean} on */
export function given(name, on) {
  for (const part of $$(`[data-if="${name}"]`)) show(part, on);
}

/** A text that is shown where there is one. @param {string} name @param {string | null} text */
export function maybe(name, text) {
  if (text) fill(name, text);
  given(name, Boolean(text));
}

/** Calls back when a part of this name is pressed, or a form sent. @param {string} name @param {(part: HTMLElement) => unknown} done */
export function does(name, done) {
  for (const part of $$(`[data-do="${name}"]`)) {
    part.addEventListener(part instanceof HTMLFormElement ? 'submit' : 'click', (event) => {
      if (part instanceof HTMLFormElement) event.preventDefault();
      done(part);
    });
  }
}
