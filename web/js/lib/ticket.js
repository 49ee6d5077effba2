// @ts-check
/** The places in line that this browser has: for each schedule the ticket to send. All tabs share them. */
import { local, onChange } from './store.js';

/** @param {number | string} schedule */
const key = (schedule) => `onsale.ticket.${schedule}`;

/** The ticket (`Queue-Token`) of a schedule, or null. @param {number | string} schedule @returns {string | null} */
export function ticketOf(schedule) {
  const kept = local.get(key(schedule));
  return typeof kept === 'string' ? kept : null;
}

/** Keeps a ticket, in place of the one before. @param {number | string} schedule @param {string} token */
export const keepTicket = (schedule, token) => local.set(key(schedule), token);

/** Forgets it. @param {number | string} schedule */
export const dropTicket = (schedule) => local.remove(key(schedule));

/** Calls back when another tab keeps another one, or forgets it. @param {number | string} schedule @param {(token: string | null) => void} changed */
export const onTicket = (schedule, changed) => onChange(key(schedule), (value) => changed(typeof value === 'string' ? value : null));
