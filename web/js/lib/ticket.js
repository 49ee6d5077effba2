// @ts-check
/**
 * The places in line that this browser has: for each schedule one record of the ticket and its user.
 * All tabs share them. A ticket of another user than the one who is signed in is as good as none.
 */
import { claimsOf } from './jwt.js';
import { known } from './session.js';
import { local, onChange } from './store.js';

/** @param {number | string} schedule */
const key = (schedule) => `onsale.ticket.${schedule}`;

/** Whose a ticket is, as it says itself. @param {string} token @returns {string | null} */
const userOf = (token) => claimsOf(token).sub ?? null;

/** Whether a ticket is the user's who is signed in, or was last. @param {string | null} user */
function mine(user) {
  const session = known();
  return !session || user === null || user === String(session.id);
}

/** @param {any} kept a record, or the ticket alone as it was kept before */
function read(kept) {
  const token = typeof kept === 'string' ? kept : kept?.token;
  if (typeof token !== 'string') return null;
  return mine(userOf(token) ?? kept.user ?? null) ? token : null;
}

/** The ticket (`Queue-Token`) of a schedule, or null. @param {number | string} schedule @returns {string | null} */
export const ticketOf = (schedule) => read(local.get(key(schedule)));

/**
 * Keeps a ticket, in place of the one before.
 * @param {number | string} schedule @param {string} token
 * @returns {boolean} false where it is another user's: an answer to somebody who has signed out since
 */
export function keepTicket(schedule, token) {
  const user = userOf(token);
  if (!mine(user)) return false;
  local.set(key(schedule), { user, token });
  return true;
}

/** Forgets it. @param {number | string} schedule */
export const dropTicket = (schedule) => local.remove(key(schedule));

/** Calls back when another tab keeps another one, or forgets it. @param {number | string} schedule @param {(token: string | null) => void} changed */
export const onTicket = (schedule, changed) => onChange(key(schedule), (value) => changed(read(value)));
