// @ts-check
/** Making elements out of data. Texts become text, whatever is in them. */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element. Of `props`, `class` and other names are attributes (`true` is present, `false`, null
 * and undefined are absent), `dataset` is an object of data attributes, `on` an object of listeners,
 * `value` and `checked` are properties.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any> | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, /** @type {any} */ (listener));
    } else if (name === 'dataset') Object.assign(element.dataset, value);
    else if (name === 'value' || name === 'checked') /** @type {any} */ (element)[name] = value;
    else set(element, name, value);
  }
  fill(element, ...children);
  return element;
}

/**
 * An element of a drawing.
 * @param {string} tag @param {Record<string, string | number>} attributes @param {...(Node | string)} children
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...children);
  return element;
}

/**
 * Sets an attribute, or takes it away.
 * @param {Element} element @param {string} name @param {string | number | boolean | null | undefined} value
 */
export function set(element, name, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? '' : String(value));
}

/**
 * Replaces what is in an element.
 * @param {Element} element @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  const there = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  element.replaceChildren(.../** @type {(Node | string)[]} */ (there.map((child) => (typeof child === 'number' ? String(child) : child))));
}

/**
 * Replaces a text, only where it is another: what has not changed is not read out again.
 * @param {Element | null} element @param {string | number} text
 */
export function say(element, text) {
  if (element && element.textContent !== String(text)) element.textContent = String(text);
}

/** Shows an element, or hides it. @param {Element | null} element @param {boolean} shown */
export function show(element, shown) {
  if (element) /** @type {HTMLElement} */ (element).hidden = !shown;
}

/**
 * The first element that matches.
 * @param {string} selector @param {ParentNode} [within]
 * @returns {HTMLElement}
 */
export function $(selector, within = document) {
  return /** @type {HTMLElement} */ (within.querySelector(selector));
}

/** All elements that match. @param {string} selector @param {ParentNode} [within] @returns {HTMLElement[]} */
export const $$ = (selector, within = document) => [.../** @type {NodeListOf<HTMLElement>} */ (within.querySelectorAll(selector))];
