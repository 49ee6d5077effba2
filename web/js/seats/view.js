// @ts-check
/**
 * The visible part of the plan. Uses no document.
 *
 * A view's middle is at `x`, `y` of the plan. `scale` is in CSS pixels per unit.
 */

/** The largest scale, in CSS pixels per unit. */
export const MAX_SCALE = 46;
/** The scales from which on a mouse and a finger can pick seats, in CSS pixels per unit. */
export const MOUSE_FROM = 11;
export const FINGER_FROM = 21;
/** The scale from which on there is room for seat numbers, in CSS pixels per unit. */
export const NUMBERS_FROM = 27;

/** @typedef {{x: number, y: number, scale: number, width: number, height: number}} View */
/** @typedef {import('./venue.js').Box} Box */

/** The scale at which all of `box` is visible. @param {Box} box @param {number} width @param {number} height */
export function wholeScale(box, width, height) {
  const across = width / Math.max(box.right - box.left, 1);
  const down = height / Math.max(box.bottom - box.top, 1);
  return Math.min(MAX_SCALE, across, down);
}

/**
 * The view that shows all of `box`.
 * @param {Box} box @param {number} width @param {number} height @returns {View}
 */
export function fitView(box, width, height) {
  const scale = wholeScale(box, width, height);
  return { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2, scale, width, height };
}

/** Converts a point of the plan to a point of the screen. @param {View} view @param {number} x @param {number} y */
export function toScreen(view, x, y) {
  return [(x - view.x) * view.scale + view.width / 2, (y - view.y) * view.scale + view.height / 2];
}

/** Converts a point of the screen to a point of the plan. @param {View} view @param {number} left @param {number} top */
export function toPlan(view, left, top) {
  return [(left - view.width / 2) / view.scale + view.x, (top - view.height / 2) / view.scale + view.y];
}

/**
 * Limits a view: not smaller than the whole plan, not larger than `MAX_SCALE`, and with its middle on the
 * plan.
 * @param {View} view @param {Box} box @returns {View}
 */
export function clampView(view, box) {
  const least = wholeScale(box, view.width, view.height);
  const scale = Math.min(MAX_SCALE, Math.max(least, view.scale));
  const along = (/** @type {number} */ at, /** @type {number} */ low, /** @type {number} */ high, /** @type {number} */ seen) => {
    // A plan that is narrower than the screen stays centred.
    if (high - low <= seen) return (low + high) / 2;
    return Math.min(high - seen / 2, Math.max(low + seen / 2, at));
  };
  const x = along(view.x, box.left, box.right, view.width / scale);
  const y = along(view.y, box.top, box.bottom, view.height / scale);
  return { ...view, x, y, scale };
}

/**
 * Zooms by `factor` around a point of the screen, which stays in place.
 * @param {View} view @param {number} left @param {number} top @param {number} factor
 * @param {Box} box @returns {View}
 */
export function zoomView(view, left, top, factor, box) {
  const least = wholeScale(box, view.width, view.height);
  const scale = Math.min(MAX_SCALE, Math.max(least, view.scale * factor));
  const [x, y] = toPlan(view, left, top);
  const middle = {
    x: x - (left - view.width / 2) / scale,
    y: y - (top - view.height / 2) / scale,
  };
  return clampView({ ...view, ...middle, scale }, box);
}

/** Moves a view by CSS pixels. @param {View} view @param {number} right @param {number} down @param {Box} box */
export function moveView(view, right, down, box) {
  return clampView({ ...view, x: view.x - right / view.scale, y: view.y - down / view.scale }, box);
}

/**
 * The view at `part` (0 to 1) of the way between two views. The scale changes by a constant factor per time.
 * @param {View} from @param {View} to @param {number} part @returns {View}
 */
export function interpolateView(from, to, part) {
  const eased = 1 - (1 - part) ** 3;
  const scale = from.scale * (to.scale / from.scale) ** eased;
  // The middle moves along with the scale, so that the target stays visible.
  const share = Math.abs(to.scale - from.scale) < 1e-6 ? eased : (1 / from.scale - 1 / scale) / (1 / from.scale - 1 / to.scale);
  const x = from.x + (to.x - from.x) * share;
  const y = from.y + (to.y - from.y) * share;
  return { x, y, scale, width: to.width, height: to.height };
}

/**
 * The view of one section, as large as fits, at a scale at which its seats can be picked. If it is larger
 * than the screen then, `at` is in the middle.
 * @param {import('./venue.js').Section} section @param {View} view @param {Box} box
 * @param {number} pickable the scale from which on seats can be picked, in CSS pixels per unit
 * @param {number[]} [at] @returns {View}
 */
export function viewOfSection(section, view, box, pickable, at = [section.x, section.y]) {
  const around = Math.max(section.width, section.depth) + 2;
  const whole = Math.min(view.width, view.height * 1.2) / around;
  const scale = Math.min(34, Math.max(pickable + 3, whole));
  const [x, y] = whole < scale ? at : [section.x, section.y];
  return clampView({ ...view, x, y, scale }, box);
}
