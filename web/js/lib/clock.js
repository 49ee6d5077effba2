// @ts-check
/**
 * The server's clock. The device's may be wrong by hours, and may be set while the page is open, so
 * that nothing is counted by it: only how much time has passed since an answer came.
 */
import { page } from './page.js';

/** The server's time when the page's own clock showed 0, in ms. */
let origin = Date.now() - performance.now();
/** By how much that may be wrong, in ms, as of `learnedAt`. */
let error = Infinity;
let learnedAt = 0;

/** By how much two clocks may drift apart in a second, and in ms: generous. */
const DRIFT = 0.0005;

/**
 * Learns from an answer that has the server's time in it.
 * @param {string | number} serverTime RFC 3339, or ms
 * @param {number} sent `performance.now()` when it was asked for
 * @param {number} [received] `performance.now()` when its head was there
 * @param {number} [slack] by how much the time may be wrong by itself, in ms
 */
export function learn(serverTime, sent, received = performance.now(), slack = 0) {
  const told = typeof serverTime === 'number' ? serverTime : Date.parse(serverTime);
  if (Number.isNaN(told)) return;
  const half = Math.max(0, received - sent) / 2 + slack;
  const found = told - (received + sent) / 2;
  const known = error + (received - learnedAt) * DRIFT;
  // One that is better, or one that the one before can't be right beside: the device slept.
  if (half <= known || Math.abs(found - origin) > half + known) {
    [origin, error, learnedAt] = [found, half, received];
  }
}

/** Whether the server has told its time. Until then only the device's is known. */
export const isKnown = () => error !== Infinity;

/** The server's time, in ms. */
export const now = () => origin + performance.now();

/** How long until a time of the server's, in ms; negative once it has passed. @param {string | number} when */
export const until = (when) => (typeof when === 'number' ? when : Date.parse(when)) - now();

/**
 * Calls back at once and then at every second of the server's clock, until told to stop. While the
 * page is hidden it is not called.
 * @param {() => void} tick
 * @returns {() => void} stops it
 */
export function everySecond(tick) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const next = () => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') return;
    tick();
    timer = setTimeout(next, 1005 - (now() % 1000));
  };
  document.addEventListener('visibilitychange', next);
  next();
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', next);
  };
}

// The page itself is the first answer, unless the browser had kept it.
const loaded = /** @type {PerformanceNavigationTiming | undefined} */ (performance.getEntriesByType('navigation')[0]);
if (page.server_time && loaded && loaded.type !== 'back_forward' && loaded.responseStart > 0) {
  learn(page.server_time, loaded.requestStart, loaded.responseStart);
}
