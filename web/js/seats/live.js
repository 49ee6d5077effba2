// @ts-check
/** Loading a map, and keeping it as it is now; and saying so where that is not known. */
import { now } from '../lib/clock.js';
import { $, say, show } from '../lib/dom.js';
import { patiently } from '../lib/patience.js';
import { onsale } from '../lib/session.js';
import { errorText, t, time } from '../lib/text.js';

/** A short loss is not worth a word, in ms. */
const QUIET_MS = 1500;

/** What is said while there is no answer. @param {any} error */
const waiting = (error) => say($('#map-loading'), `${errorText(error)} ${t('seats.again')}`);

/**
 * The seats of a schedule. Its layout is kept by the browser, by its version.
 * @param {number} schedule @param {number} version
 * @returns {Promise<import('./venue.js').Seat[]>}
 */
export async function seatsOf(schedule, version) {
  const path = `/v1/schedules/${schedule}/seats/layout?version=${version}`;
  return (await patiently(() => onsale.call('GET', path), waiting)).seats;
}

/**
 * Keeps `choice` as the service has it, for as long as the page is open.
 * @param {number} schedule @param {number} version of the layout @param {import('./choice.js').Choice} choice
 * @param {() => void} outgrown there are other seats now: the layout is another
 */
export function keepLive(schedule, version, choice, outgrown) {
  const strip = connectionStrip();
  const begin = async () => {
    const whole = await patiently(() => onsale.status(schedule), waiting);
    if (whole.layout_version !== version) return outgrown();
    choice.load(/** @type {import('./states.js').Whole} */ (whole));
    strip.heard();
    const following = onsale.followSeats(schedule, whole.version, {
      onSeats: (changes) => {
        strip.heard();
        if (choice.apply(changes)) return;
        following.stop();
        begin();
      },
      onReload: begin,
      onConnection: (connection) => strip.connection(connection),
      onStale: (stale) => strip.stale(stale),
    });
    return undefined;
  };
  return begin();
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
