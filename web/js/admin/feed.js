// @ts-check
/** The figures of a sale: the recorded ones, and then one answer per second from a stream. */
import { OnsaleError, backoff, pause } from '../onsale/call.js';
import { readStream } from '../onsale/events.js';
import { serverNow } from '../lib/clock.js';
import { client, get, reportRefusal } from './api.js';
import { SaleSeries } from './series.js';

export { isQueueDataOld, sumRates } from './series.js';

/** @typedef {import('../onsale/types.d.ts').Stats} Stats */
/** @typedef {import('../onsale/types.d.ts').SaleHistory} SaleHistory */
/**
 * `live`: figures arrive. `stale`: a store does not respond. `lost`: the service does not respond.
 * @typedef {'connecting' | 'live' | 'stale' | 'lost'} State
 */
/** @typedef {{ stats: Stats | null, state: State, since: number }} News */
/** What chooses the range of the charts. @typedef {{ range: () => number, onRange: (listener: () => void) => void }} Ranges */

/** The recorded values of the last seconds are read again this often, in ms: they fill gaps, and have new markers. */
const TAIL_MS = 10_000;
/** The same for the first time, when the first live values have arrived. */
const FIRST_TAIL_MS = 3000;
/** The last seconds that are read again. */
const TAIL_SECONDS = 60;
/** Most seconds in one answer of the history. */
const MAX_SECONDS = 7 * 86_400 - 3600;

/** @type {Map<number, { series: SaleSeries, last: Stats | null }>} */
const kept = new Map();

/**
 * Reads the recorded values of the last seconds.
 * @param {number} schedule @param {number} seconds @param {AbortSignal} signal
 * @returns {Promise<SaleHistory>}
 */
function recorded(schedule, seconds, signal) {
  const from = new Date(serverNow() - Math.min(seconds, MAX_SECONDS) * 1000).toISOString();
  return get(`/v1/admin/schedules/${schedule}/history?from=${encodeURIComponent(from)}`, signal);
}

/**
 * Keeps the recorded values of a sale current, until the signal aborts.
 * @param {number} schedule @param {SaleSeries} series @param {() => void} onChange @param {AbortSignal} signal @param {Ranges} ranges
 */
async function keepRecorded(schedule, series, onChange, signal, ranges) {
  let whole = true;
  let wait = FIRST_TAIL_MS;
  /** @type {() => void} */
  let wake = () => {};
  signal.addEventListener('abort', () => wake());
  ranges.onRange(() => {
    whole = true;
    wake();
  });
  while (!signal.aborted) {
    const [isWhole, range] = [whole, ranges.range()];
    whole = false;
    try {
      const history = await recorded(schedule, isWhole ? range : TAIL_SECONDS, signal);
      if (signal.aborted) return;
      // Another range may have been chosen meanwhile.
      if (range === ranges.range()) {
        if (range !== series.range) series.restart(range);
        series.merge(history);
        onChange();
      }
    } catch (error) {
      if (signal.aborted) return;
      reportRefusal(error);
      // Everything is read again once the stores are back.
      whole = true;
    }
    if (range === ranges.range()) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, wait);
        wake = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
    }
    wait = whole ? FIRST_TAIL_MS : TAIL_MS;
  }
}

/**
 * Follows the figures of a schedule until the signal aborts, through network failures.
 * @param {number} schedule
 * @param {(news: News, series: SaleSeries) => void} onNews
 * @param {AbortSignal} signal
 * @param {Ranges} ranges
 */
export async function follow(schedule, onNews, signal, ranges) {
  const record = kept.get(schedule) ?? { series: new SaleSeries(), last: null };
  kept.set(schedule, record);
  const { series } = record;
  // Values from before are drawn at once, with a gap up to now until the recorded values have arrived.
  series.addGap();
  /** @type {News} */
  let news = { stats: record.last, state: 'connecting', since: performance.now() };
  const publish = (/** @type {State} */ state, /** @type {Stats | null} */ stats = news.stats) => {
    if (signal.aborted) return;
    news = { stats, state, since: state === news.state && state !== 'live' ? news.since : performance.now() };
    if (state !== 'live') series.addGap();
    onNews(news, series);
  };
  const onEvent = (/** @type {import('../onsale/events.js').Event} */ { event, data }) => {
    if (event === 'stale') return publish('stale');
    if (event !== 'stats') return undefined;
    const stats = /** @type {Stats} */ (data);
    series.add(stats, news.state === 'live' ? news.stats : null);
    record.last = stats;
    return publish('live', stats);
  };
  publish('connecting');
  keepRecorded(schedule, series, () => onNews(news, series), signal, ranges);
  for (let failures = 0; !signal.aborted;) {
    try {
      await readStream(
        client,
        `/v1/admin/schedules/${schedule}/stats/stream`,
        {
          signal,
          silence: 8000,
          onOpen: () => {
            failures = 0;
          },
        },
        onEvent,
      );
      // The stream was closed after ten minutes or drained: open it again at once.
      failures = Math.max(1, failures);
    } catch (error) {
      if (signal.aborted) return;
      reportRefusal(error);
      failures += 1;
      publish(OnsaleError.from(error).status === 503 ? 'stale' : 'lost');
    }
    await pause(Math.min(5000, backoff(failures)), signal).catch(() => {});
  }
}
