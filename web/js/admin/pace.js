// @ts-check
/** Why admission goes as it goes, as a sentence with its figures. The service computes both. */
import { msUntil } from '../lib/clock.js';
import { decimal, duration, number, t, time } from '../lib/text.js';
import { isQueueDataOld } from './feed.js';

/** @typedef {import('./feed.js').Stats} Stats */
/** The kind of a status, which decides its colour. @typedef {'flowing' | 'idle' | 'paused' | 'bad'} Kind */

/** @type {Record<string, Kind>} */
const KINDS = {
  RATE: 'flowing',
  CAPACITY: 'flowing',
  RUNNING: 'flowing',
  STARTING: 'flowing',
  EMPTY: 'idle',
  UPCOMING: 'idle',
  SOLD_OUT: 'idle',
  CLOSED: 'idle',
  NO_SEATS: 'idle',
  PRESENCE: 'paused',
  PAUSED: 'paused',
  DRAW: 'paused',
  NO_CAPACITY: 'paused',
  WITHDRAWN: 'paused',
  STALLED: 'bad',
  RECOVERING: 'bad',
  REDIS_UNAVAILABLE: 'bad',
};

/** A time with seconds if it is within a day. @param {string} at */
const near = (at) => time(at, Math.abs(msUntil(at)) < 86_400_000 ? 'exact' : 'full');

/** The variant of a reason's text. @param {Stats} stats */
function variant({ pace, active, in_force }) {
  if (pace.reason === 'PAUSED' && pace.by !== null) return 'PAUSED.by';
  if (pace.reason === 'CAPACITY' && pace.measured_per_second === null) return 'CAPACITY.none';
  if (pace.reason === 'EMPTY' && active >= in_force.capacity) return 'EMPTY.full';
  return pace.reason;
}

/**
 * The sentences about admission: the reason, and what follows from it.
 * @param {Stats} stats
 * @returns {{ kind: Kind, reason: string, more: string }}
 */
export function paceText(stats) {
  const { pace, in_force } = stats;
  const reason = t(`admin.pace.${variant(stats)}`, {
    by: pace.by ?? '',
    since: pace.since ? near(pace.since) : '',
    set: number(pace.set_per_second),
    measured: pace.measured_per_second === null ? '–' : decimal(pace.measured_per_second),
    capacity: number(in_force.capacity),
    free: number(Math.max(0, in_force.capacity - stats.active)),
    waiting: number(stats.waiting + stats.returned),
  });
  const old = isQueueDataOld(stats) && pace.reason !== 'REDIS_UNAVAILABLE' ? t('admin.pace.old', { at: near(stats.line_as_of) }) : '';
  return { kind: KINDS[pace.reason] ?? 'idle', reason, more: [...consequences(stats), old].filter(Boolean).join(' ') };
}

/** Why the rate was kept; the others say why it changed. */
const KEPT = ['ON_TARGET', 'SETTLING', 'NOT_LIMITING', 'FEW_ANSWERS', 'NO_READING', 'NOT_ADMITTING', 'AT_MIN', 'AT_MAX'];
const CHANGED = ['STARTED', 'SLOW', 'ERRORS', 'SLOTS', 'RAISED'];

/** The automatic rate, and why it is what it is, as sentences. @param {NonNullable<Stats['pace']['auto']>} auto */
export function autoText(auto) {
  const rates = { rate: number(auto.per_second), min: number(auto.min_per_second), max: number(auto.max_per_second) };
  const figures = {
    at: auto.changed_at ? near(auto.changed_at) : '',
    p99: auto.p99_ms === null ? '–' : decimal(auto.p99_ms),
    target: number(auto.target_p99_ms),
    errors: number(auto.target_error_percent),
    slots: number(auto.target_slots_percent),
  };
  const changed = CHANGED.includes(auto.change_reason) ? auto.change_reason : 'BOUNDS';
  const sentences = [t('admin.auto.is', rates), t(`admin.auto.change.${changed}`, figures)];
  if (KEPT.includes(auto.reason)) sentences.push(t(`admin.auto.kept.${auto.reason}`, figures));
  return sentences.join(' ');
}

/** What follows from the pace: when it ends, the next admission, the last seat, and what would be faster. @param {Stats} stats */
function consequences({ pace }) {
  const { until, next_seconds: next, sell_out: sellOut, faster } = pace;
  const sentences = pace.auto ? [autoText(pace.auto)] : [];
  if (until && msUntil(until) > 0) sentences.push(t('admin.pace.until', { at: near(until), left: duration(msUntil(until) / 1000) }));
  if (next !== null && next > 1) sentences.push(t('admin.pace.next', { time: duration(next) }));
  if (sellOut) {
    const figures = { at: near(sellOut.at), seats: decimal(sellOut.seats_per_second), span: duration(sellOut.measured_seconds) };
    sentences.push(t(sellOut.before_deadline ? 'admin.pace.sellout' : 'admin.pace.nosellout', figures));
  }
  if (faster) {
    const figures = { value: number(faster.value), rate: decimal(faster.admit_per_second) };
    const at = faster.sell_out_at;
    sentences.push(
      at
        ? t(`admin.pace.faster.${faster.setting}.sellout`, { ...figures, at: near(at) })
        : t(`admin.pace.faster.${faster.setting}`, figures),
    );
  }
  return sentences;
}
