// The users of a run and their access tokens. There are three ways to get them:
//
//   ONSALE_JWT_SECRET   the tokens are signed here. The users sign up, or exist from FIRST_USER on
//   ADMIN_TOKEN         alone: the users sign up, and keep the tokens that they get (few buyers only)
//   TOKENS              a file with one buyer's token per line, as an identity provider or
//                       loadtest/tokens.js wrote them; with ADMIN_TOKEN

import http from 'k6/http';
import { sleep } from 'k6';
import { SharedArray } from 'k6/data';
import crypto from 'k6/crypto';
import encoding from 'k6/encoding';
import { BASE } from '../address.js';
import { Client, read } from './client.js';

/** @import * as Types from './types.d.ts' */
/** @typedef {Pick<Types.OnsaleSale, 'run' | 'userRuns' | 'tokens'>} Users */

const SECRET = __ENV.ONSALE_JWT_SECRET;
const ISSUER = __ENV.ONSALE_JWT_ISSUER || 'onsale';
const ADMIN_TOKEN = __ENV.ADMIN_TOKEN;
// Longer than the longest profile, so that no token expires during a run.
const LIFETIME_SECONDS = 4 * 3600;
const SIGN_UPS_AT_ONCE = 40;
// k6 copies what setup() returns to every VU, so a crowd's tokens would take gigabytes.
const MOST_TOKENS_IN_SETUP = 500;

const file = __ENV.TOKENS?.startsWith('/') ? __ENV.TOKENS : `${__ENV.PWD ?? '.'}/${__ENV.TOKENS}`;
/** The tokens of a file, which all VUs share. @type {string[]} */
const fileTokens = __ENV.TOKENS
  ? new SharedArray('tokens', () =>
      open(file)
        .split('\n')
        .filter((line) => line !== ''),
    )
  : [];

/** Fails if no setting says who the administrator is. */
export function requireIdentity() {
  if (!SECRET && !ADMIN_TOKEN) {
    throw new Error('Set ONSALE_JWT_SECRET (the secret of the service), or ADMIN_TOKEN (an access token of an administrator).');
  }
}

/** The administrator. @param {Users} users */
export function adminOf(users) {
  const token = ADMIN_TOKEN || sign(userId(users, 0), 'admin');
  return new Client({ bearer: `Bearer ${token}`, id: 'the administrator', run: users.run });
}

/** The buyer with this number, from 0. @param {Users} users @param {number} number */
export function buyerOf(users, number) {
  const token = fileTokens[number] ?? users.tokens[number] ?? sign(userId(users, number + 1), 'user');
  return new Client({ bearer: `Bearer ${token}`, id: `buyer ${number}`, run: users.run });
}

/** Creates or finds `buyers` users, and an administrator. @param {number} buyers @param {string} run */
export function createUsers(buyers, run) {
  const users = { run, ...findUsers(buyers, run) };
  const answer = adminOf(users).send('GET', 'setup', '/v1/admin/health', [200]);
  if (answer.code !== null) {
    const cause = ADMIN_TOKEN ? 'ADMIN_TOKEN' : 'ONSALE_JWT_SECRET (or ONSALE_JWT_ISSUER, or FIRST_USER)';
    throw new Error(`${BASE} does not accept ${cause}: ${answer.status} ${answer.code}`);
  }
  return { userRuns: users.userRuns, tokens: users.tokens };
}

/** @param {number} buyers @param {string} run @returns {{ userRuns: Types.Runs, tokens: string[] }} */
function findUsers(buyers, run) {
  if (__ENV.TOKENS) {
    if (fileTokens.length < buyers) throw new Error(`${file} has ${fileTokens.length} tokens, but ${buyers} buyers may come`);
    if (!ADMIN_TOKEN) throw new Error('TOKENS has the tokens of buyers: set ADMIN_TOKEN too.');
    return { userRuns: [], tokens: [] };
  }
  const first = Number(__ENV.FIRST_USER || 0);
  if (first && SECRET) return { userRuns: [[0, first, buyers + 1]], tokens: [] };
  if (SECRET) return { userRuns: runsOf(signUp(buyers + 1, run).map(({ id }) => id)), tokens: [] };
  if (buyers > MOST_TOKENS_IN_SETUP) {
    throw new Error(
      `${buyers} buyers need a file of tokens: run loadtest/tokens.js with BUYERS=${buyers}, then set TOKENS. Or set ONSALE_JWT_SECRET.`,
    );
  }
  return { userRuns: [], tokens: signUp(buyers, run).map(({ access_token: token }) => token) };
}

/** Signs up `count` users. @param {number} count @param {string} run @returns {Types.NewUser[]} */
export function signUp(count, run) {
  /** @type {Types.NewUser[]} */
  const users = [];
  while (users.length < count) {
    const some = Math.min(SIGN_UPS_AT_ONCE, count - users.length);
    const requests = Array.from({ length: some }, (_, index) => signUpRequest(`Load test ${run} ${users.length + index}`));
    for (const answer of http.batch(requests).map((response) => read(response))) {
      if (answer.code === null) users.push(/** @type {Types.NewUser} */ (answer.body));
      else waitToSignUp(answer);
    }
  }
  return users;
}

/** @param {string} name @returns {import('k6/http').BatchRequest} */
function signUpRequest(name) {
  const params = { headers: { 'Content-Type': 'application/json' }, tags: { name: 'sign_up' }, timeout: '60s' };
  return { method: 'POST', url: `${BASE}/v1/users`, body: JSON.stringify({ name }), params };
}

let isWarned = false;

/** @param {Types.Answer<unknown>} answer */
function waitToSignUp(answer) {
  if (answer.code === 'signup_closed') {
    throw new Error(
      `Sign-up is closed at ${BASE}. Start the service with ONSALE_OPEN_SIGNUP=true, name existing users with FIRST_USER, or set TOKENS.`,
    );
  }
  if (answer.code !== 'rate_limited' && answer.status !== 503) {
    throw new Error(`a sign-up failed: ${answer.status} ${answer.code}: ${answer.text}`);
  }
  if (!isWarned && answer.code === 'rate_limited') {
    console.warn('The service limits sign-ups and joins from one address. For load tests, set ONSALE_ADDRESS_JOINS=0 there.');
    isWarned = true;
  }
  sleep(answer.retryAfter ?? 1);
}

/** Runs of consecutive ids, by the position in `ids`. @param {number[]} ids */
export function runsOf(ids) {
  /** @type {Types.Runs} */
  const runs = [];
  ids.forEach((id, index) => {
    const last = runs[runs.length - 1];
    if (last && id === last[1] + last[2]) last[2] += 1;
    else runs.push([index, id, 1]);
  });
  return runs;
}

/** The id at a position of runs. @param {Types.Runs} runs @param {number} position */
export function idAt(runs, position) {
  const run = runs.find(([first, , count]) => position >= first && position < first + count);
  if (!run) throw new Error(`there is no number ${position}`);
  return run[1] + position - run[0];
}

/** @param {Users} users @param {number} position */
const userId = (users, position) => idAt(users.userRuns, position);

/** @param {string} text */
const base64url = (text) => encoding.b64encode(text, 'rawurl');
const HEADER = base64url(JSON.stringify({ alg: 'HS256', typ: 'JWT' }));

/** Signs an access token with HS256, as the service does. @param {number} user @param {'user' | 'admin'} role */
function sign(user, role) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { aud: 'onsale', iss: ISSUER, sub: String(user), role, iat: now, exp: now + LIFETIME_SECONDS };
  const signed = `${HEADER}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${crypto.hmac('sha256', SECRET, signed, 'base64rawurl')}`;
}
