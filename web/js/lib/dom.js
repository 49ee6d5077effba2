// @ts-check
/** Creates and changes elements. A text always becomes a text node, never markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {string | number | boolean | null | undefined} Attribute */
/**
 * A listener; as the type of a method, so that it may take any kind of event.
 * @typedef {{ handle(event: Event): unknown }['handle']} Listener
 */
/** @typedef {Record<string, Listener>} Listeners by the name of the event */
/**
 * @typedef {{ on?: Listeners, dataset?: Record<string, string> } & { [name: string]: Attribute | Listeners | Record<string, string> }} Props
 */

/**
 * Creates an element. In `props`, `dataset` is an object of data attributes, `on` an object of
 * listeners, `value` and `checked` are properties, and every other name is an attribute (`true` is
 * present; `false`, null and undefined are absent).
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props, ...children) {
  const element = document.createElement(tag);
  const { on = {}, dataset = {}, ...rest } = props ?? {};
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  Object.assign(element.dataset, dataset);
  for (const [name, value] of Object.entries(rest)) {
    if (name === 'value' || name === 'checked') Object.assign(element, { [name]: value });
    else setAttribute(element, name, /** @type {Attribute} */ (value));
  }
  setChildren(element, ...children);
  return element;
}

/**
 * Creates an SVG element.
 * @param {string} tag @param {Record<string, string | number>} attributes @param {...(Node | string)} children
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children);
  return element;
}

/**
 * Sets an attribute, or removes it if the value is false, null or undefined.
 * @param {Element} element @param {string} name @param {string | number | boolean | null | undefined} value
 */
export function setAttribute(element, name, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? '' : String(value));
}

/**
 * Replaces an element's children.
 * @param {Element} element @param {...(Child | Child[])} children
 */
export function setChildren(element, ...children) {
  const there = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  element.replaceChildren(.../** @type {(Node | string)[]} */ (there.map((child) => (typeof child === 'number' ? String(child) : child))));
}

/**
 * Sets an element's text if it differs, so that screen readers do not read an unchanged text again.
 * @param {Element | null} element @param {string | number} text
 */
export function setText(element, text) {
  if (element && element.textContent !== String(text)) element.textContent = String(text);
}

/** Shows or hides an element. @param {Element | null} element @param {boolean} shown */
export function setVisible(element, shown) {
  if (element) /** @type {HTMLElement} */ (element).hidden = !shown;
}

/**
 * Finds the first element that matches.
 * @param {string} selector @param {ParentNode} [within]
 * @returns {HTMLElement}
 */
export function $(selector, within = document) {
  return /** @type {HTMLElement} */ (within.querySelector(selector));
}

/** Finds all elements that match. @param {string} selector @param {ParentNode} [within] @returns {HTMLElement[]} */
export const $$ = (selector, within = document) => [.../** @type {NodeListOf<HTMLElement>} */ (within.querySelectorAll(selector))];
