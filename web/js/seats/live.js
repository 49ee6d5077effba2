// @ts-check
/** Loading a map, and keeping it as it is now; and saying so where that is not known. */
import { now } from '../lib/clock.js';
import { $, say, show } from '../lib/dom.js';
import { patiently } from '../lib/patience.js';
import { onsale } from '../lib/session.js';
import { OneTab } from '../lib/tabs.js';
import { errorText, t, time } from '../lib/text.js';

/** A short loss is not worth a word, in ms. */
const QUIET_MS = 1500;
const OUTGROWN_MS = 2000;

/** What is said while there is no answer. @param {any} error */
const waiting = (error) => say($('#map-loading'), `${errorText(error)} ${t('seats.again')}`);

/**
 * The seats of a schedule. Its layout is kept by the browser, by its version.
 * @param {number} schedule @param {number} version
 * @returns {Promise<import('./venue.js').Seat[]>}
 */
export async function seatsOf(schedule, version) {
  const layout = await patiently(() => onsale.layout(schedule, version), waiting);
  // Processes learn of a new version one after the other.
  if (layout.layout_version !== version) setTimeout(() => location.reload(), OUTGROWN_MS);
  return layout.seats;
}

/** The states of all of them. @param {number} schedule @returns {Promise<any>} */
export const statesOf = (schedule) => patiently(() => onsale.status(schedule), waiting);

/**
 * Keeps `choice` as the service has it, for as long as the page is open. Of all tabs that are seen
 * one is pushed to, and the others ask; one that is not seen does neither, and makes up for it.
 * @param {number} schedule @param {number} version of the layout @param {import('./choice.js').Choice} choice
 * @param {import('./states.js').Whole} first its states, as they were loaded
 */
export function keepLive(schedule, version, choice, first) {
  const strip = connectionStrip();
  /** @type {import('../onsale.js').Followed | null} */
  let following = null;
  const one = new OneTab(`onsale.seats.${schedule}`, () => following?.nudge());
  const follow = () => {
    following?.stop();
    if (document.visibilityState === 'hidden') return one.letGo();
    one.ask();
    strip.stale(false);
    following = onsale.followSeats(schedule, choice.states.version, {
      stream: () => one.is,
      onSeats: (changes) => {
        strip.heard();
        if (!choice.apply(changes)) again();
      },
      onReload: () => again(),
      onConnection: (connection) => strip.connection(connection),
      onStale: (stale) => strip.stale(stale),
    });
    return undefined;
  };
  const begin = (/** @type {import('./states.js').Whole} */ whole) => {
    // There are other seats now. Processes may learn of it one after the other.
    if (whole.layout_version !== version) return void setTimeout(() => location.reload(), OUTGROWN_MS);
    choice.load(whole);
    strip.heard();
    return follow();
  };
  const again = async () => {
    following?.stop();
    begin(await statesOf(schedule));
  };
  begin(first);
  document.addEventListener('visibilitychange', follow);
}

/** What is said of the connection: nothing while the map is as it is now. */
function connectionStrip() {
  let [heardAt, lost, old, timer] = [now(), false, false, 0];
  const tell = () => {
    timer = 0;
    const strip = $('#live');
    show(strip, lost || old);
    if (lost || old) say(strip, t(lost ? 'seats.live.lost' : 'seats.live.stale', { time: time(heardAt, 'exact') }));
  };
  const later = () => {
    if (!lost && !old) {
      clearTimeout(timer);
      tell();
    } else timer ||= window.setTimeout(tell, QUIET_MS);
  };
  return {
    heard() {
      heardAt = now();
    },
    /** @param {import('../onsale.js').Connection} connection */
    connection(connection) {
      // Nothing was heard yet.
      if (connection === 'connecting') return;
      if (connection !== 'lost') heardAt = now();
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
