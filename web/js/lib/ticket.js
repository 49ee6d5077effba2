// @ts-check
/**
 * The tickets stored in this browser: one per schedule, with its user, shared by all tabs. A ticket of
 * another user than the signed-in one is ignored.
 */
import { readClaims } from './jwt.js';
import { knownUser } from './session.js';
import { localStore, onStoredChange } from './store.js';

/** @param {number | string} schedule */
const key = (schedule) => `onsale.ticket.${schedule}`;

/** Reads a ticket's user id. @param {string} token @returns {string | null} */
const readUser = (token) => readClaims(token).sub ?? null;

/** Whether a ticket belongs to the user who is, or last was, signed in. @param {string | null} user */
function isOwn(user) {
  const session = knownUser();
  return !session || user === null || user === String(session.id);
}

/** @param {{ user?: string | null, token?: string } | string | null} kept a record, or the bare ticket that older versions stored */
function readTicket(kept) {
  const token = typeof kept === 'string' ? kept : kept?.token;
  if (typeof token !== 'string') return null;
  const user = typeof kept === 'string' ? null : kept?.user;
  return isOwn(readUser(token) ?? user ?? null) ? token : null;
}

/** Loads the ticket (`Queue-Token`) of a schedule, or null. @param {number | string} schedule @returns {string | null} */
export const loadTicket = (schedule) => readTicket(localStore.get(key(schedule)));

/**
 * Stores a ticket and replaces the previous one.
 * @param {number | string} schedule @param {string} token
 * @returns {boolean} false if it belongs to another user, who has signed out since the request
 */
export function saveTicket(schedule, token) {
  const user = readUser(token);
  if (!isOwn(user)) return false;
  localStore.set(key(schedule), { user, token });
  return true;
}

/** Removes the ticket of a schedule. @param {number | string} schedule */
export const dropTicket = (schedule) => localStore.remove(key(schedule));

/**
 * Calls `changed` when another tab replaces or removes the ticket.
 * @param {number | string} schedule @param {(token: string | null) => void} changed
 */
export const onTicketChange = (schedule, changed) => onStoredChange(key(schedule), (value) => changed(readTicket(value)));
