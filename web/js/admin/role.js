// @ts-check
/** The role of the operator's token. The console shows only what it may do; the service decides. */
import { readClaims } from '../lib/jwt.js';
import { adminToken } from '../lib/session.js';

/** The roles, the lowest first: each may do what those before it may do. */
const ROLES = /** @type {const} */ (['user', 'viewer', 'box_office', 'operator', 'admin']);

/** @typedef {typeof ROLES[number]} Role */

/** Whether the token has the role `least` or a higher one. @param {Role} least */
export function may(least) {
  const role = readClaims(adminToken() ?? '').role;
  return ROLES.indexOf(/** @type {Role} */ (role)) >= ROLES.indexOf(least);
}
