// Forged tickets and access tokens, all of which onsale must refuse.

import encoding from 'k6/encoding';

/** @import * as Types from './types.d.ts' */
/** @typedef {import('./client.js').Client} Client */

/** @param {string} part */
const decode = (part) => JSON.parse(String(encoding.b64decode(part, 'rawurl', 's')));
/** @param {unknown} content */
const encode = (content) => encoding.b64encode(JSON.stringify(content), 'rawurl');

/**
 * Forgeries of a signed token: its signature changed, its claims changed under the same signature, and its
 * signature left out. Name → token.
 * @param {string} token @param {Record<string, unknown>} claims the claims to change
 */
function forgeries(token, claims) {
  const [header, payload, signature] = token.split('.');
  const changed = encode({ ...decode(payload), ...claims });
  const first = signature[0] === 'A' ? 'B' : 'A';
  return {
    'another signature': `${header}.${payload}.${first}${signature.slice(1)}`,
    'other claims': `${header}.${changed}.${signature}`,
    'no signature': `${encode({ alg: 'none', typ: 'JWT' })}.${changed}.`,
  };
}

/** Sends forged tickets and a forged administrator's token. Returns what was accepted. @param {Client} client @param {Types.OnsaleSale} sale */
export function forge(client, sale) {
  const accepted = [];
  for (const [name, ticket] of Object.entries(forgeries(client.queueToken ?? '..', { sequence: 1, status: 'ACTIVE' }))) {
    const answer = client.send('GET', 'forged', '/v1/queue/ticket', [200, 'ticket_invalid'], { ticket });
    if (answer.code === null) accepted.push(`a ticket with ${name} was accepted`);
  }
  const [, token] = client.bearer.split(' ');
  for (const [name, forged] of Object.entries(forgeries(token, { role: 'admin' }))) {
    const headers = { Authorization: `Bearer ${forged}` };
    const path = `/v1/admin/schedules/${sale.schedule}/stats`;
    const answer = client.send('GET', 'forged', path, [200, 'unauthenticated', 'forbidden'], { headers });
    if (answer.code === null) accepted.push(`an administrator's token with ${name} was accepted`);
  }
  return accepted;
}
