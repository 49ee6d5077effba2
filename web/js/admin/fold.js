// @ts-check
/** A navigation that folds into a menu where the screen is too narrow for it. */
import { el, setAttribute } from '../lib/dom.js';

let count = 0;

/**
 * The children of a `nav`: a button that opens the menu on a narrow screen, and the links. A wide screen
 * shows the links only. Escape and a click elsewhere close the menu.
 * @param {string} label the text of the button: where the reader is now
 * @param {...(import('../lib/dom.js').Child)} links
 * @returns {HTMLElement[]}
 */
export function foldingLinks(label, ...links) {
  const id = `fold-${(count += 1)}`;
  const button = el('button', { type: 'button', class: 'fold', 'aria-expanded': 'false', 'aria-controls': id }, label);
  const items = el('div', { class: 'fold-items', id }, ...links);
  const isOpen = () => button.getAttribute('aria-expanded') === 'true';
  const close = () => {
    setAttribute(button, 'aria-expanded', 'false');
    document.removeEventListener('pointerdown', closeElsewhere);
  };
  const closeElsewhere = (/** @type {Event} */ { target }) => {
    // A part that was left took its menu along.
    if (!button.isConnected || (target instanceof Node && !items.contains(target) && !button.contains(target))) close();
  };
  const closeByKey = (/** @type {Event} */ event) => {
    if (!(event instanceof KeyboardEvent) || event.key !== 'Escape' || !isOpen()) return;
    close();
    button.focus();
  };
  button.addEventListener('click', () => {
    if (isOpen()) return close();
    setAttribute(button, 'aria-expanded', 'true');
    document.addEventListener('pointerdown', closeElsewhere);
  });
  items.addEventListener('click', ({ target }) => target instanceof HTMLAnchorElement && close());
  for (const part of [button, items]) part.addEventListener('keydown', closeByKey);
  return [button, items];
}
