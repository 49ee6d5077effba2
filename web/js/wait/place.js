// @ts-check
/** A place in words: what is known of it, and what is not. No elements in here. */
import { local } from '../lib/store.js';
import { decimal, number, t, time } from '../lib/text.js';

/** @typedef {import('../onsale.js').Ticket} Ticket */
/** @typedef {{ ticket_id: string, first: number, lowest: number | null }} Seen */

/** Where somebody stood first and best, over reloads and in all tabs. @param {number} schedule @param {Ticket} ticket @returns {Seen} */
export function seen(schedule, ticket) {
  const key = `onsale.seen.${schedule}`;
  const kept = local.get(key);
  const mine = kept?.ticket_id === ticket.ticket_id ? kept : { ticket_id: ticket.ticket_id, first: 0, lowest: null };
  if (ticket.recovering) mine.lowest = null;
  if (ticket.ahead !== null) {
    // Two processes may differ by a moment: a place never gets worse.
    mine.lowest = mine.lowest === null ? ticket.ahead : Math.min(mine.lowest, ticket.ahead);
    mine.first = Math.max(mine.first, ticket.ahead);
  }
  local.set(key, mine);
  return mine;
}

/** How much of the way is behind since one's first place, in thousandths. @param {Seen} seen */
export const progress = ({ first, lowest }) => (lowest === null ? 0 : Math.round(((first - lowest) / (first + 1)) * 1000));

/** @param {number} ahead */
export const aheadText = (ahead) => (ahead === 0 ? t('wait.ahead.none') : t('wait.ahead', { n: ahead }));

/** The expected wait as a range, or why there is none. @param {Ticket} ticket @param {{ reservation_available_at?: string } | null} schedule */
export function etaText(ticket, schedule) {
  if (ticket.recovering) return t('wait.eta.recovering');
  if (ticket.phase === 'UPCOMING') return schedule?.reservation_available_at ? t('wait.eta.opens', { time: time(schedule.reservation_available_at, 'day') }) : t('wait.eta.before');
  if (ticket.phase === 'PAUSED') return t('wait.eta.paused');
  if (ticket.phase === 'SOLD_OUT') return t('wait.eta.soldout');
  if (ticket.phase === 'CLOSED') return t('wait.eta.closed');
  const { eta_seconds: middle, eta_low_seconds: low, eta_high_seconds: high } = ticket;
  if (middle === null) return t('wait.eta.unknown');
  return range(low ?? middle, high ?? middle);
}

/** @param {number} low @param {number} high both in seconds @returns {string} */
export function range(low, high) {
  if (high < 60) return t('wait.eta.under');
  const [unit, size] = high < 90 * 60 ? ['minutes', 60] : ['hours', 3600];
  const step = unit === 'hours' && high < 6 * 3600 ? 0.5 : 1;
  const round = (/** @type {number} */ value, /** @type {(n: number) => number} */ to) => Math.max(step, to(value / size / step) * step);
  const [from, until] = [round(low, Math.floor), round(high, Math.ceil)];
  if (from === until) return t(`wait.eta.about.${unit}`, { n: until });
  return t(`wait.eta.range.${unit}`, { from: decimal(from), to: decimal(until) });
}

/**
 * How it looks, in a plain word: whether there may be a seat left.
 * @param {Ticket} ticket @param {number | null} ahead @param {number} most seats that one person may have
 * @returns {{ text: string, mood: 'good' | 'warn' | 'bad' }}
 */
export function outlook(ticket, ahead, most) {
  const seats = ticket.seats_available;
  if (seats === 0) return { text: t('wait.outlook.none'), mood: 'bad' };
  if (ahead === null) return { text: t('wait.outlook.unknown', { seats: number(seats) }), mood: 'good' };
  if (ahead === 0) return { text: t('wait.outlook.next', { seats: number(seats) }), mood: 'good' };
  if (ahead >= seats) return { text: t('wait.outlook.hopeless', { seats: number(seats), n: ahead }), mood: 'bad' };
  if (ahead * most >= seats) return { text: t('wait.outlook.tight', { seats: number(seats), n: ahead }), mood: 'warn' };
  return { text: t('wait.outlook.good', { seats: number(seats), n: ahead }), mood: 'good' };
}

/** How long ago, in words that don't flicker. @param {number} ms */
export function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 2) return t('wait.updated.now');
  return seconds < 90 ? t('wait.updated.seconds', { n: seconds }) : t('wait.updated.minutes', { n: Math.round(seconds / 60) });
}
