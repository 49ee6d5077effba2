// @ts-check
/**
 * Which part of the plan is seen, and how large. Pure: no document.
 *
 * A view's middle is at `x`, `y` of the plan; `scale` is CSS pixels per unit.
 */

/** The largest a seat is shown, in CSS pixels per unit. */
export const NEAREST = 46;
/** From so many CSS pixels per unit a seat is large enough to be picked by a mouse, and by a finger. */
export const PICKABLE = 11;
export const FINGER = 21;
/** From so many CSS pixels per unit there is room for a seat's number. */
export const READABLE = 27;

/** @typedef {{x: number, y: number, scale: number, width: number, height: number}} View */
/** @typedef {import('./venue.js').Box} Box */

/** The scale at which all of `box` is seen. @param {Box} box @param {number} width @param {number} height */
export function wholeScale(box, width, height) {
  const across = width / Math.max(box.right - box.left, 1);
  const down = height / Math.max(box.bottom - box.top, 1);
  return Math.min(NEAREST, across, down);
}

/**
 * All of `box`, in the middle.
 * @param {Box} box @param {number} width @param {number} height @returns {View}
 */
export function fit(box, width, height) {
  const scale = wholeScale(box, width, height);
  return { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2, scale, width, height };
}

/** Where a point of the plan is on the screen. @param {View} view @param {number} x @param {number} y */
export function toScreen(view, x, y) {
  return [
    (x - view.x) * view.scale + view.width / 2,
    (y - view.y) * view.scale + view.height / 2,
  ];
}

/** What point of the plan is there on the screen. @param {View} view @param {number} left @param {number} top */
export function toPlan(view, left, top) {
  return [
    (left - view.width / 2) / view.scale + view.x,
    (top - view.height / 2) / view.scale + view.y,
  ];
}

/**
 * Kept to what there is to see: not smaller than the whole, not larger than a seat can be, with
 * the middle on the plan.
 * @param {View} view @param {Box} box @returns {View}
 */
export function kept(view, box) {
  const least = wholeScale(box, view.width, view.height);
  const scale = Math.min(NEAREST, Math.max(least, view.scale));
  const along = (/** @type {number} */ at, /** @type {number} */ low, /** @type {number} */ high, /** @type {number} */ seen) => {
    // What is narrower than the screen stays in its middle.
    if (high - low <= seen) return (low + high) / 2;
    return Math.min(high - seen / 2, Math.max(low + seen / 2, at));
  };
  const x = along(view.x, box.left, box.right, view.width / scale);
  const y = along(view.y, box.top, box.bottom, view.height / scale);
  return { ...view, x, y, scale };
}

/**
 * Larger by `factor`, with what is at `left`, `top` on the screen staying there.
 * @param {View} view @param {number} left @param {number} top @param {number} factor
 * @param {Box} box @returns {View}
 */
export function zoomed(view, left, top, factor, box) {
  const least = wholeScale(box, view.width, view.height);
  const scale = Math.min(NEAREST, Math.max(least, view.scale * factor));
  const [x, y] = toPlan(view, left, top);
  const middle = {
    x: x - (left - view.width / 2) / scale,
    y: y - (top - view.height / 2) / scale,
  };
  return kept({ ...view, ...middle, scale }, box);
}

/** Moved by so many CSS pixels. @param {View} view @param {number} right @param {number} down @param {Box} box */
export function moved(view, right, down, box) {
  return kept({ ...view, x: view.x - right / view.scale, y: view.y - down / view.scale }, box);
}

/**
 * On the way from one view to another, `part` of 1; sizes change by the same factor in the same time.
 * @param {View} from @param {View} to @param {number} part @returns {View}
 */
export function between(from, to, part) {
  const eased = 1 - (1 - part) ** 3;
  const scale = from.scale * (to.scale / from.scale) ** eased;
  // The middle moves as the size does, so that the target does not swing out of sight.
  const share =
    Math.abs(to.scale - from.scale) < 1e-6
      ? eased
      : (1 / from.scale - 1 / scale) / (1 / from.scale - 1 / to.scale);
  const x = from.x + (to.x - from.x) * share;
  const y = from.y + (to.y - from.y) * share;
  return { x, y, scale, width: to.width, height: to.height };
}

/**
 * One section, as large as fits and its seats can be picked at. Where it is larger than the screen
 * then, `at` is in the middle.
 * @param {import('./venue.js').Section} section @param {View} view @param {Box} box
 * @param {number} pickable CSS pixels per unit from which seats can be picked
 * @param {number[]} [at] @returns {View}
 */
export function onto(section, view, box, pickable, at = [section.x, section.y]) {
  const around = Math.max(section.width, section.depth) + 2;
  const whole = Math.min(view.width, view.height * 1.2) / around;
  const scale = Math.min(34, Math.max(pickable + 3, whole));
  const [x, y] = whole < scale ? at : [section.x, section.y];
  return kept({ ...view, x, y, scale }, box);
}
