// @ts-check
/** The figures of a sale, second by second: read by one stream, kept for a quarter of an hour. */
import { backoff, pause } from '../onsale/call.js';
import { stream } from '../onsale/events.js';
import { client, note } from './service.js';

/** @typedef {Record<string, any>} Stats */
/** `live`: figures come. `stale`: a store does not answer. `lost`: the service does not. @typedef {'connecting' | 'live' | 'stale' | 'lost'} State */
/** @typedef {{ stats: Stats | null, state: State, since: number }} News */

/** So many seconds are kept. */
const KEPT = 900;

/** What is drawn, each a number a second, or null where it is not known. */
export const SERIES = /** @type {const} */ ([
  'at', 'waiting', 'active', 'capacity', 'joins', 'admissions', 'held', 'sold', 'sales', 'revenue',
  'join', 'poll', 'hold', 'pay', 'errors', 'limited',
]);
/** @typedef {typeof SERIES[number]} Name */
/** @typedef {Record<Name, (number | null)[]>} History */

/** @type {Map<number, { history: History, last: Stats | null }>} */
const kept = new Map();

/** @returns {History} */
const empty = () => /** @type {History} */ (Object.fromEntries(SERIES.map((name) => [name, []])));

/** A quantile of the answers of one kind. @param {Stats} stats @param {string} call */
const p99 = (stats, call) => stats.answers.find((/** @type {any} */ one) => one.call === call)?.p99_ms ?? null;

/** A rate over all kinds of calls; null while unknown. @param {Stats} stats @param {string} name @returns {number | null} */
export function rate(stats, name) {
  const known = stats.answers.map((/** @type {any} */ one) => one[name]).filter((/** @type {any} */ value) => value !== null);
  return known.length > 0 ? known.reduce((/** @type {number} */ sum, /** @type {number} */ value) => sum + value, 0) : null;
}

/** What a counter rose by a second; null where it can't be told. @param {Stats} now @param {Stats | null} last @param {string} name */
function risen(now, last, name) {
  const seconds = last ? (Date.parse(now.server_time) - Date.parse(last.server_time)) / 1000 : 0;
  const more = last ? now[name] - last[name] : -1;
  // Built anew after a loss, or seats given back: no rate.
  return seconds > 0.2 && seconds < 10 && more >= 0 ? more / seconds : null;
}

/** What is drawn of one second. @param {Stats} stats @param {Stats | null} last @returns {Record<string, number | null>} */
function drawn(stats, last) {
  const line = lineStands(stats) ? null : stats;
  return {
    at: Date.parse(stats.server_time) / 1000,
    waiting: line && line.waiting + line.returned,
    active: line && line.active,
    capacity: line && line.in_force.capacity,
    joins: line && risen(line, last, 'joined_total'),
    admissions: line && risen(line, last, 'admitted_total'),
    held: stats.held,
    sold: stats.sold,
    sales: risen(stats, last, 'sold'),
    revenue: stats.revenue,
    join: p99(stats, 'join'),
    poll: p99(stats, 'poll'),
    hold: p99(stats, 'hold'),
    pay: p99(stats, 'pay'),
    errors: rate(stats, 'errors_per_second'),
    limited: rate(stats, 'limited_per_second'),
  };
}

/** Whether the line's figures are old: Redis does not answer. @param {Stats} stats */
export const lineStands = (stats) => Date.parse(stats.server_time) - Date.parse(stats.line_as_of) > 3000;

/** @param {History} history @param {Record<string, number | null>} values */
function add(history, values) {
  for (const name of SERIES) {
    history[name].push(values[name] ?? null);
    if (history[name].length > KEPT) history[name].shift();
  }
}

/** A second of which nothing is known, so that the drawing has a gap there. @param {History} history */
function gap(history) {
  const last = history.at.at(-1);
  if (last && history.waiting.at(-1) !== null) add(history, { at: last + 1 });
}

/**
 * Follows the figures of a schedule until the signal ends it; through losses of the network too.
 * @param {number} schedule
 * @param {(news: News, history: History) => void} tell
 * @param {AbortSignal} signal
 */
export async function follow(schedule, tell, signal) {
  let of = kept.get(schedule);
  if (!of) kept.set(schedule, (of = { history: empty(), last: null }));
  const { history } = of;
  // What is known from before is drawn at once, with a gap up to now.
  gap(history);
  /** @type {News} */
  let news = { stats: of.last, state: 'connecting', since: performance.now() };
  const now = (/** @type {State} */ state, /** @type {Stats | null} */ stats = news.stats) => {
    if (signal.aborted) return;
    news = { stats, state, since: state === news.state && state !== 'live' ? news.since : performance.now() };
    if (state !== 'live') gap(history);
    tell(news, history);
  };
  const found = (/** @type {import('../onsale/events.js').Event} */ { event, data }) => {
    if (event === 'stale') return now('stale');
    if (event !== 'stats') return undefined;
    const last = news.state === 'live' ? news.stats : null;
    add(history, drawn(data, last));
    /** @type {any} */ (of).last = data;
    return now('live', data);
  };
  now('connecting');
  for (let failures = 0; !signal.aborted; ) {
    try {
      await stream(client, `/v1/admin/schedules/${schedule}/stats/stream`, { signal, silence: 8000, onOpen: () => { failures = 0; } }, found);
      // Closed after ten minutes, or drained: come back at once.
      failures = Math.max(1, failures);
    } catch (error) {
      if (signal.aborted) return;
      note(error);
      failures += 1;
      now(/** @type {any} */ (error).status === 503 ? 'stale' : 'lost');
    }
    await pause(Math.min(5000, backoff(failures)), signal).catch(() => {});
  }
}
