// @ts-check
/** Texts about a place in line. Creates no elements. */
import { localStore } from '../lib/store.js';
import { decimal, number, t, time } from '../lib/text.js';

/** @typedef {import('../onsale.js').Ticket} Ticket */
/**
 * @typedef {{ ticket_id: string, first: number, lowest: number | null }} PlaceRecord `first`: people ahead at first; `lowest`: the fewest people ahead so far
 */

/**
 * Records a ticket's first and best place, shared across reloads and tabs.
 * @param {number} schedule @param {Ticket} ticket
 * @returns {PlaceRecord}
 */
export function recordPlace(schedule, ticket) {
  const key = `onsale.seen.${schedule}`;
  const stored = localStore.get(key);
  const record = stored?.ticket_id === ticket.ticket_id ? stored : { ticket_id: ticket.ticket_id, first: 0, lowest: null };
  if (ticket.recovering) record.lowest = null;
  if (ticket.ahead !== null) {
    // Two processes may be a moment apart. The place shown never gets worse.
    record.lowest = record.lowest === null ? ticket.ahead : Math.min(record.lowest, ticket.ahead);
    record.first = Math.max(record.first, ticket.ahead);
  }
  localStore.set(key, record);
  return record;
}

/** The progress since the first place, in thousandths. @param {PlaceRecord} record */
export const progressOf = ({ first, lowest }) => (lowest === null ? 0 : Math.round(((first - lowest) / (first + 1)) * 1000));

/** @param {number} ahead */
export const aheadText = (ahead) => (ahead === 0 ? t('wait.ahead.none') : t('wait.ahead', { n: ahead }));

/**
 * The estimated wait as a range, or the reason why there is none.
 * @param {Ticket} ticket @param {{ reservation_available_at?: string } | null} schedule
 */
export function etaText(ticket, schedule) {
  if (ticket.recovering) return t('wait.eta.recovering');
  if (ticket.phase === 'UPCOMING')
    return schedule?.reservation_available_at
      ? t('wait.eta.opens', { time: time(schedule.reservation_available_at, 'day') })
      : t('wait.eta.before');
  if (ticket.phase === 'PAUSED') return t('wait.eta.paused');
  if (ticket.phase === 'SOLD_OUT') return t('wait.eta.soldout');
  if (ticket.phase === 'CLOSED') return t('wait.eta.closed');
  const { eta_seconds: middle, eta_low_seconds: low, eta_high_seconds: high } = ticket;
  if (middle === null) return t('wait.eta.unknown');
  return waitRangeText(low ?? middle, high ?? middle);
}

/** @param {number} low @param {number} high both in seconds @returns {string} */
export function waitRangeText(low, high) {
  if (high < 60) return t('wait.eta.under');
  const [unit, size] = high < 90 * 60 ? ['minutes', 60] : ['hours', 3600];
  const step = unit === 'hours' && high < 6 * 3600 ? 0.5 : 1;
  const round = (/** @type {number} */ value, /** @type {(n: number) => number} */ to) => Math.max(step, to(value / size / step) * step);
  const [from, until] = [round(low, Math.floor), round(high, Math.ceil)];
  if (from === until) return t(`wait.eta.about.${unit}`, { n: until });
  return t(`wait.eta.range.${unit}`, { from: decimal(from), to: decimal(until) });
}

/**
 * The chance of getting a seat, as a text.
 * @param {Ticket} ticket @param {number | null} ahead @param {number} limit seats that one person can have
 * @returns {{ text: string, mood: 'good' | 'warn' | 'bad' }}
 */
export function outlook(ticket, ahead, limit) {
  const seats = ticket.seats_available;
  if (seats === 0) return { text: t('wait.outlook.none'), mood: 'bad' };
  if (ahead === null) return { text: t('wait.outlook.unknown', { seats: number(seats) }), mood: 'good' };
  if (ahead === 0) return { text: t('wait.outlook.next', { seats: number(seats) }), mood: 'good' };
  if (ahead >= seats) return { text: t('wait.outlook.hopeless', { seats: number(seats), n: ahead }), mood: 'bad' };
  if (ahead * limit >= seats) return { text: t('wait.outlook.tight', { seats: number(seats), n: ahead }), mood: 'warn' };
  return { text: t('wait.outlook.good', { seats: number(seats), n: ahead }), mood: 'good' };
}

/** How long ago the page was updated. Changes rarely enough not to flicker. @param {number} ms */
export function agoText(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 2) return t('wait.updated.now');
  return seconds < 90 ? t('wait.updated.seconds', { n: seconds }) : t('wait.updated.minutes', { n: Math.round(seconds / 60) });
}
