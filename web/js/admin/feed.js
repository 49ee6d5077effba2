// @ts-check
/** The figures of a sale per second, read from one stream and kept for 15 minutes. */
import { OnsaleError, backoff, pause } from '../onsale/call.js';
import { readStream } from '../onsale/events.js';
import { client, reportRefusal } from './api.js';

/** @typedef {import('../onsale/types.d.ts').Stats} Stats */
/**
 * `live`: figures arrive. `stale`: a store does not respond. `lost`: the service does not respond.
 * @typedef {'connecting' | 'live' | 'stale' | 'lost'} State
 */
/** @typedef {{ stats: Stats | null, state: State, since: number }} News */

/** Number of seconds kept. */
const KEPT_SECONDS = 900;

/** The series to draw, each with one value per second, or null if unknown. */
export const SERIES = /** @type {const} */ ([
  'at',
  'waiting',
  'active',
  'capacity',
  'joins',
  'admissions',
  'held',
  'sold',
  'sales',
  'revenue',
  'join',
  'poll',
  'hold',
  'pay',
  'errors',
  'limited',
]);
/** @typedef {typeof SERIES[number]} Name */
/** @typedef {Record<Name, (number | null)[]>} History */

/** @type {Map<number, { history: History, last: Stats | null }>} */
const kept = new Map();

/** @returns {History} */
const empty = () => /** @type {History} */ (/** @type {unknown} */ (Object.fromEntries(SERIES.map((name) => [name, []]))));

/** The 99th percentile of the answer times of one kind of call. @param {Stats} stats @param {string} call */
const p99 = (stats, call) => stats.answers.find((one) => one.call === call)?.p99_ms ?? null;

/**
 * The sum of a rate over all kinds of calls; null if unknown.
 * @param {Stats} stats @param {'errors_per_second' | 'limited_per_second'} name
 * @returns {number | null}
 */
export function sumRates(stats, name) {
  const known = stats.answers.map((one) => one[name]).filter((value) => value !== null);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) : null;
}

/**
 * A counter's increase per second; null if unknown.
 * @param {Stats} now @param {Stats | null} last @param {'joined_total' | 'admitted_total' | 'sold'} name
 */
function ratePerSecond(now, last, name) {
  const seconds = last ? (Date.parse(now.server_time) - Date.parse(last.server_time)) / 1000 : 0;
  const more = last ? now[name] - last[name] : -1;
  // After a rebuild or a refund the counter falls, so there is no rate.
  return seconds > 0.2 && seconds < 10 && more >= 0 ? more / seconds : null;
}

/** The values of one second. @param {Stats} stats @param {Stats | null} last @returns {Record<Name, number | null>} */
function sampleOf(stats, last) {
  const queue = isQueueDataOld(stats) ? null : stats;
  return {
    at: Date.parse(stats.server_time) / 1000,
    waiting: queue && queue.waiting + queue.returned,
    active: queue && queue.active,
    capacity: queue && queue.in_force.capacity,
    joins: queue && ratePerSecond(queue, last, 'joined_total'),
    admissions: queue && ratePerSecond(queue, last, 'admitted_total'),
    held: stats.held,
    sold: stats.sold,
    sales: ratePerSecond(stats, last, 'sold'),
    revenue: stats.revenue,
    join: p99(stats, 'join'),
    poll: p99(stats, 'poll'),
    hold: p99(stats, 'hold'),
    pay: p99(stats, 'pay'),
    errors: sumRates(stats, 'errors_per_second'),
    limited: sumRates(stats, 'limited_per_second'),
  };
}

/** Whether the queue's figures are old because Redis does not respond. @param {Stats} stats */
export const isQueueDataOld = (stats) => Date.parse(stats.server_time) - Date.parse(stats.line_as_of) > 3000;

/** @param {History} history @param {Partial<Record<Name, number | null>>} values */
function addSample(history, values) {
  for (const name of SERIES) {
    history[name].push(values[name] ?? null);
    if (history[name].length > KEPT_SECONDS) history[name].shift();
  }
}

/** Adds a second without values, so that the charts have a gap. @param {History} history */
function addGap(history) {
  const last = history.at.at(-1);
  if (last && history.waiting.at(-1) !== null) addSample(history, { at: last + 1 });
}

/**
 * Follows the figures of a schedule until the signal aborts, through network failures.
 * @param {number} schedule
 * @param {(news: News, history: History) => void} onNews
 * @param {AbortSignal} signal
 */
export async function follow(schedule, onNews, signal) {
  const record = kept.get(schedule) ?? { history: empty(), last: null };
  kept.set(schedule, record);
  const { history } = record;
  // Values from before are drawn at once, with a gap up to now.
  addGap(history);
  /** @type {News} */
  let news = { stats: record.last, state: 'connecting', since: performance.now() };
  const publish = (/** @type {State} */ state, /** @type {Stats | null} */ stats = news.stats) => {
    if (signal.aborted) return;
    news = { stats, state, since: state === news.state && state !== 'live' ? news.since : performance.now() };
    if (state !== 'live') addGap(history);
    onNews(news, history);
  };
  const onEvent = (/** @type {import('../onsale/events.js').Event} */ { event, data }) => {
    if (event === 'stale') return publish('stale');
    if (event !== 'stats') return undefined;
    const stats = /** @type {Stats} */ (data);
    addSample(history, sampleOf(stats, news.state === 'live' ? news.stats : null));
    record.last = stats;
    return publish('live', stats);
  };
  publish('connecting');
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
