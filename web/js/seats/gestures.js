// @ts-check
/**
 * Gestures on the map: one or two fingers, the mouse, the wheel and keys.
 */
import { moveView, zoomView } from './view.js';

/** A pointer that moved less than this far has tapped, in CSS pixels. */
const TAP_DISTANCE = 7;
/** The zoom factor of one step of the wheel or a key. */
const ZOOM_STEP = 1.5;
/** How far a key moves, in CSS pixels. */
const KEY_DISTANCE = 70;

/**
 * @typedef {object} GestureHandlers
 * @property {(left: number, top: number, touch: boolean) => void} tapped
 * @property {(left: number, top: number) => void} over the mouse is at this point; -1 when it has left the map
 * @property {() => void} entered Enter or space was pressed
 * @property {() => void} settled keys have moved the map
 */

/** @param {import('./map.js').SeatMap} map @param {GestureHandlers} handlers */
export function listenToGestures(map, handlers) {
  listenToPointers(map, handlers);
  listenToKeys(map, handlers);
  map.host.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const [left, top] = pointOf(map, event);
      // Browsers count in pixels, lines or pages.
      const zoomStep = event.deltaY * [1, 16, 400][event.deltaMode];
      zoomMap(map, ZOOM_STEP ** (-zoomStep / (event.ctrlKey ? 40 : 160)), left, top);
    },
    { passive: false },
  );
}

/** @param {import('./map.js').SeatMap} map @param {number} factor @param {number} [left] @param {number} [top] */
function zoomMap(map, factor, left = map.view.width / 2, top = map.view.height / 2) {
  map.setView(zoomView(map.view, left, top, factor, map.venue.bounds));
}

/** Zooms in or out by one step of the buttons. @param {import('./map.js').SeatMap} map @param {boolean} closer */
export function step(map, closer) {
  const { width, height } = map.view;
  const factor = closer ? ZOOM_STEP ** 2 : ZOOM_STEP ** -2;
  map.flyTo(zoomView(map.view, width / 2, height / 2, factor, map.venue.bounds));
}

/**
 * The point on the map at which an event happened.
 * @param {import('./map.js').SeatMap} map @param {{clientX: number, clientY: number}} event
 * @returns {[number, number]}
 */
function pointOf(map, { clientX, clientY }) {
  const { left, top } = map.host.getBoundingClientRect();
  return [clientX - left, clientY - top];
}

/** @param {import('./map.js').SeatMap} map @param {GestureHandlers} handlers */
function listenToPointers(map, handlers) {
  const { host } = map;
  /** The last point of each pointer that is down. @type {Map<number, [number, number]>} */
  const down = new Map();
  let far = 0;
  host.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || event.target instanceof HTMLButtonElement) return;
    host.setPointerCapture(event.pointerId);
    if (down.size === 0) far = 0;
    down.set(event.pointerId, pointOf(map, event));
  });
  host.addEventListener('pointermove', (event) => {
    const now = pointOf(map, event);
    const before = down.get(event.pointerId);
    if (!before) {
      if (event.pointerType === 'mouse') handlers.over(...now);
      return;
    }
    far += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (far < TAP_DISTANCE && down.size === 1) return;
    if (down.size === 2) pinch(map, down, event.pointerId, now);
    else map.setView(moveView(map.view, now[0] - before[0], now[1] - before[1], map.venue.bounds));
    down.set(event.pointerId, now);
    handlers.over(-1, -1);
  });
  const up = (/** @type {PointerEvent} */ event) => {
    const known = down.delete(event.pointerId);
    if (!known || event.type === 'pointercancel' || far >= TAP_DISTANCE || down.size > 0) return;
    handlers.tapped(...pointOf(map, event), event.pointerType !== 'mouse');
  };
  host.addEventListener('pointerup', up);
  host.addEventListener('pointercancel', up);
  host.addEventListener('pointerleave', () => handlers.over(-1, -1));
}

/**
 * Moves and zooms by two fingers, so that the point between them stays between them.
 * @param {import('./map.js').SeatMap} map @param {Map<number, [number, number]>} down @param {number} moving
 * @param {[number, number]} now
 */
function pinch(map, down, moving, now) {
  const [before, other] = [down.get(moving), [...down].find(([id]) => id !== moving)?.[1]];
  if (!before || !other) return;
  const apart = (/** @type {[number, number]} */ one) => Math.max(1, Math.hypot(one[0] - other[0], one[1] - other[1]));
  const middle = (/** @type {[number, number]} */ one) => [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];
  const [from, to] = [middle(before), middle(now)];
  const { bounds } = map.venue;
  const shifted = moveView(map.view, to[0] - from[0], to[1] - from[1], bounds);
  map.setView(zoomView(shifted, to[0], to[1], apart(now) / apart(before), bounds));
}

/** @param {import('./map.js').SeatMap} map @param {GestureHandlers} handlers */
function listenToKeys(map, handlers) {
  const { host } = map;
  const move = (/** @type {number} */ right, /** @type {number} */ down) => () =>
    map.setView(moveView(map.view, right * KEY_DISTANCE, down * KEY_DISTANCE, map.venue.bounds));
  /** @type {Record<string, () => void>} */
  const actions = {
    ArrowLeft: move(1, 0),
    ArrowRight: move(-1, 0),
    ArrowUp: move(0, 1),
    ArrowDown: move(0, -1),
    '+': () => zoomMap(map, ZOOM_STEP),
    '=': () => zoomMap(map, ZOOM_STEP),
    '-': () => zoomMap(map, 1 / ZOOM_STEP),
    0: () => map.flyToAll(),
    Escape: () => map.flyToAll(),
  };
  host.addEventListener('keydown', (event) => {
    if (event.target !== host || event.altKey || event.ctrlKey || event.metaKey) return;
    const enters = event.key === 'Enter' || event.key === ' ';
    if (!enters && !actions[event.key]) return;
    event.preventDefault();
    if (enters) return handlers.entered();
    actions[event.key]();
    handlers.settled();
  });
  host.addEventListener('focus', () => map.setAimed(host.matches(':focus-visible')));
  host.addEventListener('blur', () => map.setAimed(false));
}
