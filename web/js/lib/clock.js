// @ts-check
/**
 * The server's clock. The device's clock may be wrong by hours and may be changed while the page is
 * open. So times are computed from the server's time in an answer and the time elapsed since.
 */
import { page } from './page.js';

/** The server's time when `performance.now()` was 0, in ms. */
let origin = Date.now() - performance.now();
/** The largest error of `origin` at `learnedAt`, in ms. */
let error = Infinity;
let learnedAt = 0;

/** Drift between the two clocks per ms, estimated generously. */
const DRIFT = 0.0005;

/**
 * Adjusts the clock by an answer that contains the server's time.
 * @param {string | number} serverTime RFC 3339, or ms
 * @param {number} sent `performance.now()` when the request was sent
 * @param {number} [received] `performance.now()` when the answer's headers arrived
 * @param {number} [slack] how inexact the server's time itself is, in ms
 */
export function syncClock(serverTime, sent, received = performance.now(), slack = 0) {
  const serverMs = typeof serverTime === 'number' ? serverTime : Date.parse(serverTime);
  if (Number.isNaN(serverMs)) return;
  const half = Math.max(0, received - sent) / 2 + slack;
  const found = serverMs - (received + sent) / 2;
  const known = error + (received - learnedAt) * DRIFT;
  // Taken if it is more exact, or if it contradicts the old one, as after the device slept.
  if (half <= known || Math.abs(found - origin) > half + known) {
    [origin, error, learnedAt] = [found, half, received];
  }
}

/** Whether the server's time is known. Until then the device's clock is used. */
export const isClockSynced = () => error !== Infinity;

/** The server's time, in ms. */
export const serverNow = () => origin + performance.now();

/** Milliseconds until a server time; negative once it has passed. @param {string | number} when */
export const msUntil = (when) => (typeof when === 'number' ? when : Date.parse(when)) - serverNow();

/**
 * Calls `tick` at once and then at every full second of the server's clock. Does not call it while
 * the page is hidden.
 * @param {() => void} tick
 * @returns {() => void} ends the calls
 */
export function everySecond(tick) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const next = () => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') return;
    tick();
    timer = setTimeout(next, 1005 - (serverNow() % 1000));
  };
  document.addEventListener('visibilitychange', next);
  next();
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', next);
  };
}

// The page itself is the first answer with a time, unless it came from the browser's back/forward cache.
const loaded = /** @type {PerformanceNavigationTiming | undefined} */ (performance.getEntriesByType('navigation')[0]);
if (page.server_time && loaded && loaded.type !== 'back_forward' && loaded.responseStart > 0) {
  syncClock(page.server_time, loaded.requestStart, loaded.responseStart);
}
