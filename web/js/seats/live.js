// @ts-check
/** Loads the map and keeps it up to date. Shows a notice while it may be out of date. */
import { serverNow } from '../lib/clock.js';
import { $, setText, setVisible } from '../lib/dom.js';
import { retry } from '../lib/retry.js';
import { onsale } from '../lib/session.js';
import { TabLeader } from '../lib/tabs.js';
import { errorText, t, time } from '../lib/text.js';

/** An interruption shorter than this is not shown, in ms. */
const QUIET_MS = 1500;
const RELOAD_MS = 2000;

/** Shows why the map is not loaded yet. @param {unknown} error */
const showLoadError = (error) => setText($('#map-loading'), `${errorText(error)} ${t('seats.again')}`);

/**
 * Loads the seats of a schedule. The browser caches the layout by its version.
 * @param {number} schedule @param {number} version
 * @returns {Promise<import('./venue.js').Seat[]>}
 */
export async function loadSeats(schedule, version) {
  const layout = await retry(() => onsale.layout(schedule, version), { onError: showLoadError });
  // Not all processes have the new version at the same time.
  if (layout.layout_version !== version) setTimeout(() => location.reload(), RELOAD_MS);
  return layout.seats;
}

/** Loads the states of all seats. @param {number} schedule @returns {Promise<import('./states.js').FullStatus>} */
export const loadStates = (schedule) => retry(() => onsale.status(schedule), { onError: showLoadError });

/**
 * Keeps the states of `choice` up to date while the page is open. One visible tab holds the stream and
 * the others poll. A hidden tab does neither, and catches up when it is visible again.
 * @param {number} schedule @param {number} version of the layout @param {import('./choice.js').Choice} choice
 * @param {import('./states.js').FullStatus} first the loaded states
 */
export function followMap(schedule, version, choice, first) {
  const strip = connectionStrip();
  /** @type {import('../onsale.js').Followed | null} */
  let following = null;
  const leader = new TabLeader(`onsale.seats.${schedule}`, () => following?.nudge());
  const follow = () => {
    following?.stop();
    if (document.visibilityState === 'hidden') return leader.releaseLead();
    leader.requestLead();
    strip.stale(false);
    following = onsale.followSeats(schedule, choice.states.version, {
      stream: () => leader.isLeader,
      onSeats: (changes) => {
        strip.markFresh();
        if (!choice.apply(changes)) reload();
      },
      onReload: () => reload(),
      onConnection: (connection) => strip.connection(connection),
      onStale: (stale) => strip.stale(stale),
    });
    return undefined;
  };
  const start = (/** @type {import('./states.js').FullStatus} */ status) => {
    // The seats have changed. Not all processes have the new layout at the same time.
    if (status.layout_version !== version) return void setTimeout(() => location.reload(), RELOAD_MS);
    choice.load(status);
    strip.markFresh();
    return follow();
  };
  const reload = async () => {
    following?.stop();
    start(await loadStates(schedule));
  };
  start(first);
  document.addEventListener('visibilitychange', follow);
}

/** The notice about the connection, hidden while the map is up to date. */
function connectionStrip() {
  let [freshAt, lost, old, timer] = [serverNow(), false, false, 0];
  const show = () => {
    timer = 0;
    const strip = $('#live');
    setVisible(strip, lost || old);
    if (lost || old) setText(strip, t(lost ? 'seats.live.lost' : 'seats.live.stale', { time: time(freshAt, 'exact') }));
  };
  const later = () => {
    if (!lost && !old) {
      clearTimeout(timer);
      show();
    } else timer ||= window.setTimeout(show, QUIET_MS);
  };
  return {
    markFresh() {
      freshAt = serverNow();
    },
    /** @param {import('../onsale.js').Connection} connection */
    connection(connection) {
      // No data has arrived yet.
      if (connection === 'connecting') return;
      if (connection !== 'lost') freshAt = serverNow();
      lost = connection === 'lost';
      later();
    },
    /** @param {boolean} stale */
    stale(stale) {
      old = stale;
      later();
    },
  };
}
