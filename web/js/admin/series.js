// @ts-check
/** The series of a sale's charts: recorded values from the history, and live ones after them. */

/** @import * as Api from '../onsale/types.d.ts' */
/** @typedef {Api.Stats} Stats */
/** @typedef {Api.SaleHistory} SaleHistory */
/** @typedef {Api.Marker} Marker */

/** The series to draw, by their names in the history; `at` is the time in seconds. */
const RECORDED = /** @type {const} */ ({
  waiting: 'waiting',
  active: 'active',
  capacity: 'capacity',
  joins: 'joins_per_second',
  admissions: 'admissions_per_second',
  ends: 'ends_per_second',
  held: 'held',
  sold: 'sold',
  sales: 'sales_per_second',
  revenue: 'revenue',
  refusals: 'refusals_per_second',
  join: 'join_p99_ms',
  poll: 'poll_p99_ms',
  hold: 'hold_p99_ms',
  pay: 'pay_p99_ms',
  errors: 'errors_per_second',
  limited: 'limited_per_second',
});
/** @typedef {keyof typeof RECORDED} Name */
/** @typedef {Record<Name, number | null>} Values */

const NAMES = /** @type {Name[]} */ (Object.keys(RECORDED));

/** Whether the queue's figures are old because Redis does not respond. @param {Stats} stats */
export const isQueueDataOld = ({ pace, server_time, line_as_of }) =>
  pace?.reason === 'REDIS_UNAVAILABLE' || Date.parse(server_time) - Date.parse(line_as_of) > 3000;

/** The 99th percentile of the answer times of one kind of call. @param {Stats} stats @param {string} call */
const p99 = (stats, call) => stats.all_answers.find((one) => one.call === call)?.p99_ms ?? null;

/**
 * The sum of a rate over all kinds of calls; null if unknown.
 * @param {Stats} stats @param {'errors_per_second' | 'limited_per_second'} name
 * @returns {number | null}
 */
export function sumRates(stats, name) {
  const known = stats.all_answers.map((one) => one[name]).filter((value) => value !== null);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) : null;
}

/** Entries that have ended so far. @param {Stats} stats */
const ended = (stats) => stats.joined_total - stats.waiting - stats.returned - stats.active - stats.parked;

/**
 * A counter's increase per second; null if unknown.
 * @param {Stats} now @param {Stats | null} last @param {(stats: Stats) => number} count
 */
function ratePerSecond(now, last, count) {
  const seconds = last ? (Date.parse(now.server_time) - Date.parse(last.server_time)) / 1000 : 0;
  const more = last ? count(now) - count(last) : -1;
  // After a rebuild or a refund the counter falls, so there is no rate.
  return seconds > 0.2 && seconds < 10 && more >= 0 ? more / seconds : null;
}

/** The values of one second. @param {Stats} stats @param {Stats | null} last @returns {Values} */
function valuesOf(stats, last) {
  const queue = isQueueDataOld(stats) ? null : stats;
  const rate = (/** @type {(stats: Stats) => number} */ count) => queue && ratePerSecond(queue, last, count);
  return {
    waiting: queue && queue.waiting + queue.returned,
    active: queue && queue.active,
    capacity: queue && queue.in_force.capacity,
    joins: rate((one) => one.joined_total),
    admissions: rate((one) => one.admitted_total),
    ends: rate(ended),
    held: queue && queue.seats.held,
    sold: queue && queue.seats.sold,
    sales: rate((one) => one.seats.sold),
    revenue: stats.revenue,
    refusals: ratePerSecond(stats, last, (one) => one.rejections),
    join: p99(stats, 'join'),
    poll: p99(stats, 'poll'),
    hold: p99(stats, 'hold'),
    pay: p99(stats, 'pay'),
    errors: sumRates(stats, 'errors_per_second'),
    limited: sumRates(stats, 'limited_per_second'),
  };
}

/** The series of one sale, in order of time, and what changed in it. */
export class SaleSeries {
  constructor() {
    /** Times in seconds. @type {number[]} */
    this.at = [];
    /** @type {Record<Name, (number | null)[]>} */
    this.values = /** @type {Record<Name, (number | null)[]>} */ (
      /** @type {unknown} */ (Object.fromEntries(NAMES.map((name) => [name, []])))
    );
    /** @type {Marker[]} */
    this.markers = [];
    /** The time range that is kept, in seconds. */
    this.range = 600;
  }

  /** Adds a second. @param {number} at @param {Partial<Values>} values */
  #push(at, values) {
    this.at.push(at);
    for (const name of NAMES) this.values[name].push(values[name] ?? null);
  }

  /** Adds the values of a live answer. @param {Stats} stats @param {Stats | null} last the answer before, without a gap between */
  add(stats, last) {
    this.#push(Date.parse(stats.server_time) / 1000, valuesOf(stats, last));
    this.#trim();
  }

  /** Adds a second without values, so that the charts have a gap. */
  addGap() {
    const last = this.at.at(-1);
    if (last !== undefined && this.values.waiting.at(-1) !== null) this.#push(last + 1, {});
  }

  /** Forgets what is older than the range. */
  #trim() {
    const oldest = (this.at.at(-1) ?? 0) - this.range;
    const first = this.at.findIndex((at) => at >= oldest);
    // In pages, because each second moves every value.
    if (first > 60) for (const values of [this.at, ...Object.values(this.values)]) values.splice(0, first);
  }

  /**
   * Puts recorded values in place of those of their time, and leaves live ones from before and after.
   * @param {SaleHistory} history
   */
  merge({ from, step, series, markers }) {
    const begin = Date.parse(from) / 1000;
    const known = series.waiting.findLastIndex((value) => value !== null) + 1;
    const end = begin + known * step;
    const [before, after] = [this.at.findIndex((at) => at >= begin), this.at.findIndex((at) => at >= end)];
    const [head, tail] = [before < 0 ? this.at.length : before, after < 0 ? this.at.length : after];
    // The charts begin with the first value, not with a time in which nothing was recorded.
    const first =
      head === 0
        ? Math.max(
            0,
            series.waiting.findIndex((value) => value !== null),
          )
        : 0;
    /** @template Value @param {Value[]} old @param {Value[]} recorded */
    const join = (old, recorded) => [...old.slice(0, head), ...recorded.slice(first, known), ...old.slice(tail)];
    this.at = join(
      this.at,
      series.waiting.map((_, cell) => begin + cell * step),
    );
    for (const name of NAMES) this.values[name] = join(this.values[name], series[RECORDED[name]]);
    this.#mergeMarkers(markers, begin);
    this.#trim();
  }

  /** @param {Marker[]} markers @param {number} begin */
  #mergeMarkers(markers, begin) {
    const oldest = (this.at.at(-1) ?? begin) - this.range;
    const older = this.markers.filter(({ at }) => Date.parse(at) / 1000 < begin && Date.parse(at) / 1000 >= oldest);
    this.markers = [...older, ...markers];
  }

  /** Forgets everything, for another range. @param {number} range in seconds */
  restart(range) {
    this.range = range;
    this.at = [];
    for (const name of NAMES) this.values[name] = [];
    this.markers = [];
  }
}
