// @ts-check
/**
 * Moving the map: by a finger or two, the mouse, the wheel, and keys.
 */
import { moved, zoomed } from './view.js';

/** A pointer that went less far than that, in CSS pixels, has tapped. */
const TAP = 7;
/** One step of the wheel, a key, or a button. */
const STEP = 1.5;
/** How far a key moves, in CSS pixels. */
const STRIDE = 70;

/**
 * @typedef {object} Told what a gesture can come to
 * @property {(left: number, top: number, touch: boolean) => void} tapped
 * @property {(left: number, top: number) => void} over the mouse is there; -1 for gone
 * @property {() => void} entered Enter or space was pressed
 * @property {() => void} settled keys have moved the map
 */

/** @param {import('./map.js').SeatMap} map @param {Told} told */
export function gestures(map, told) {
  pointers(map, told);
  keys(map, told);
  map.host.addEventListener('wheel', (event) => {
    event.preventDefault();
    const [left, top] = at(map, event);
    // Lines and pages, where a browser counts in those.
    const step = event.deltaY * [1, 16, 400][event.deltaMode];
    zoom(map, STEP ** (-step / (event.ctrlKey ? 40 : 160)), left, top);
  }, { passive: false });
}

/** @param {import('./map.js').SeatMap} map @param {number} factor @param {number} [left] @param {number} [top] */
function zoom(map, factor, left = map.view.width / 2, top = map.view.height / 2) {
  map.look(zoomed(map.view, left, top, factor, map.venue.bounds));
}

/** Closer by a step, or further away. @param {import('./map.js').SeatMap} map @param {boolean} closer */
export function step(map, closer) {
  const { width, height } = map.view;
  const factor = closer ? STEP ** 2 : STEP ** -2;
  map.fly(zoomed(map.view, width / 2, height / 2, factor, map.venue.bounds));
}

/** Where on the map an event is. @param {import('./map.js').SeatMap} map @param {{clientX: number, clientY: number}} event @returns {[number, number]} */
function at(map, { clientX, clientY }) {
  const { left, top } = map.host.getBoundingClientRect();
  return [clientX - left, clientY - top];
}

/** @param {import('./map.js').SeatMap} map @param {Told} told */
function pointers(map, told) {
  const { host } = map;
  /** Where each pointer was last. @type {Map<number, [number, number]>} */
  const down = new Map();
  let far = 0;
  host.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || event.target instanceof HTMLButtonElement) return;
    host.setPointerCapture(event.pointerId);
    if (down.size === 0) far = 0;
    down.set(event.pointerId, at(map, event));
  });
  host.addEventListener('pointermove', (event) => {
    const now = at(map, event);
    const before = down.get(event.pointerId);
    if (!before) {
      if (event.pointerType === 'mouse') told.over(...now);
      return;
    }
    far += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (far < TAP && down.size === 1) return;
    if (down.size === 2) pinch(map, down, event.pointerId, now);
    else map.look(moved(map.view, now[0] - before[0], now[1] - before[1], map.venue.bounds));
    down.set(event.pointerId, now);
    told.over(-1, -1);
  });
  const up = (/** @type {PointerEvent} */ event) => {
    const known = down.delete(event.pointerId);
    if (!known || event.type === 'pointercancel' || far >= TAP || down.size > 0) return;
    told.tapped(...at(map, event), event.pointerType !== 'mouse');
  };
  host.addEventListener('pointerup', up);
  host.addEventListener('pointercancel', up);
  host.addEventListener('pointerleave', () => told.over(-1, -1));
}

/** Two fingers: what is between them stays there. @param {import('./map.js').SeatMap} map @param {Map<number, [number, number]>} down @param {number} moving @param {[number, number]} now */
function pinch(map, down, moving, now) {
  const [before, other] = [down.get(moving), [...down].find(([id]) => id !== moving)?.[1]];
  if (!before || !other) return;
  const apart = (/** @type {[number, number]} */ one) => Math.max(1, Math.hypot(one[0] - other[0], one[1] - other[1]));
  const middle = (/** @type {[number, number]} */ one) => [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];
  const [from, to] = [middle(before), middle(now)];
  const { bounds } = map.venue;
  const shifted = moved(map.view, to[0] - from[0], to[1] - from[1], bounds);
  map.look(zoomed(shifted, to[0], to[1], apart(now) / apart(before), bounds));
}

/** @param {import('./map.js').SeatMap} map @param {Told} told */
function keys(map, told) {
  const { host } = map;
  const move = (/** @type {number} */ right, /** @type {number} */ down) => () =>
    map.look(moved(map.view, right * STRIDE, down * STRIDE, map.venue.bounds));
  /** @type {Record<string, () => void>} */
  const does = {
    ArrowLeft: move(1, 0),
    ArrowRight: move(-1, 0),
    ArrowUp: move(0, 1),
    ArrowDown: move(0, -1),
    '+': () => zoom(map, STEP),
    '=': () => zoom(map, STEP),
    '-': () => zoom(map, 1 / STEP),
    0: () => map.lookAtAll(),
    Escape: () => map.lookAtAll(),
  };
  host.addEventListener('keydown', (event) => {
    if (event.target !== host || event.altKey || event.ctrlKey || event.metaKey) return;
    const enters = event.key === 'Enter' || event.key === ' ';
    if (!enters && !does[event.key]) return;
    event.preventDefault();
    if (enters) return told.entered();
    does[event.key]();
    told.settled();
  });
  host.addEventListener('focus', () => map.cross(host.matches(':focus-visible')));
  host.addEventListener('blur', () => map.cross(false));
}
