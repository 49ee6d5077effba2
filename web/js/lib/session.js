// @ts-check
/** Who is signed in. The access token is kept in this browser and goes out in headers only. */
import { Onsale } from '../onsale.js';
import { alone } from './alone.js';
import { isKnown, learn, now, until } from './clock.js';
import { OTHER, ask, tell } from './dialog.js';
import { claimsOf } from './jwt.js';
import { page } from './page.js';
import { local, onChange, tab } from './store.js';
import { errorText, t } from './text.js';

/**
 * @typedef {object} Session
 * @property {number} id
 * @property {string} name
 * @property {string} token
 * @property {string | null} expires_at
 * @property {boolean} [ended] whether the service has refused the token: the user has to sign in again
 */

const KEY = 'onsale.session';
const ADMIN = 'onsale.admin';

/** A token with less left than this is renewed, in ms. */
const RENEW_BELOW = 12 * 3_600_000;
/** A renewal that gains less than this is none, in ms. */
const WORTH = 60_000;
/** How long a sign-up may take before another may be tried, in ms. */
const SIGN_UP_MS = 30_000;

/** @type {Set<(session: Session | null) => void>} */
const listeners = new Set();

/** Talks to the service in the name of whoever is signed in. */
export const onsale = new Onsale({ token: () => current()?.token ?? null, onTime: learn, fetch: watched });

/** @returns {Session | null} */
const kept = () => local.get(KEY);

/** Who is signed in, or null. @returns {Session | null} */
export function current() {
  const session = kept();
  if (!session?.token || session.ended) return null;
  // By the server's clock: the device's may be wrong by days. Where that is not known yet, the service
  // has the last word, with 401.
  if (session.expires_at && isKnown() && until(session.expires_at) <= 0) return null;
  return session;
}

/** Who is signed in, or was until their session ended: their places are theirs still. @returns {{ id: number, name: string } | null} */
export function known() {
  const session = kept();
  return session?.id ? { id: session.id, name: session.name } : null;
}

/** Who has to sign in again, or null. */
export const former = () => (current() ? null : known());

/** How long the token lasts, in ms; null where that is not known. */
export function left() {
  const ends = current()?.expires_at;
  return ends ? Date.parse(ends) - now() : null;
}

/** Calls back when somebody signs in or out, here or in another tab. @param {(session: Session | null) => void} listener */
export function onSession(listener) {
  listeners.add(listener);
}

const changed = () => listeners.forEach((listener) => listener(current()));
onChange(KEY, changed);

/** Keeps somebody signed in. Places of others stay, and are nobody's while they are away. @param {Session} session */
export function signIn(session) {
  local.set(KEY, session);
  changed();
}

/** Forgets who was signed in, and the places in line. */
export function signOut() {
  for (const key of local.keys('onsale.ticket.')) local.remove(key);
  local.remove(KEY);
  changed();
}

/**
 * Notices that the service refuses the token of now: the session has ended, and the page says so.
 * @param {RequestInfo | URL} input @param {RequestInit} [init]
 */
async function watched(input, init) {
  const response = await globalThis.fetch(input, init);
  const sent = /** @type {Record<string, string>} */ (init?.headers ?? {}).Authorization;
  if (response.status === 401 && sent) {
    const problem = await response.clone().json().catch(() => null);
    const session = current();
    if (problem?.code === 'unauthenticated' && session && sent === `Bearer ${session.token}`) {
      signIn({ ...session, ended: true });
    }
  }
  return response;
}

/** When a token expires, as it says itself. @param {string} token */
function expiryOf(token) {
  const { exp } = claimsOf(token);
  return typeof exp === 'number' ? new Date(exp * 1000).toISOString() : null;
}

/** @param {{ id: number, name: string, access_token: string, expires_at: string }} made @returns {Session} */
function begin(made) {
  const session = { id: made.id, name: made.name, token: made.access_token, expires_at: made.expires_at };
  signIn(session);
  return session;
}

/** @type {Promise<Session> | null} */
let signingUp = null;

/**
 * Signs somebody up by their name, and in. One sign-up is in flight at a time, in all tabs: who asks
 * meanwhile gets the session that comes of it.
 * @param {string} name
 * @returns {Promise<Session>}
 */
export function signUp(name) {
  const once = async () => {
    const already = current();
    if (already) return already;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), SIGN_UP_MS);
    return begin(await onsale.signUp(name, { signal: late.signal }).finally(() => clearTimeout(timer)));
  };
  signingUp ??= alone('sign-up', once).finally(() => (signingUp = null));
  return signingUp;
}

/** Whether the token of now can be renewed, and should be. @param {Session | null} session */
function isDue(session) {
  const end = session && claimsOf(session.token).renew_until;
  if (!end || !session.expires_at) return false;
  const expires = Date.parse(session.expires_at);
  return expires - now() < RENEW_BELOW && end * 1000 - expires > WORTH;
}

/** Whether the session can go on by itself. */
export function renewable() {
  const session = current();
  const end = session && claimsOf(session.token).renew_until;
  return Boolean(end && session.expires_at && end * 1000 - Date.parse(session.expires_at) > WORTH);
}

/** Renews the token where it is time to, in one tab. */
export async function renew() {
  if (!isDue(current())) return;
  await alone('renew', async () => {
    const session = current();
    if (!session || !isDue(session)) return;
    const { access_token: token, expires_at } = await onsale.renew();
    // Somebody else may have signed in meanwhile.
    if (current()?.token === session.token) local.set(KEY, { ...session, token, expires_at });
  });
}

/** Leaves for the page on which buyers sign in, which sends them back to this one. */
export const signInElsewhere = () => location.assign(`/sign-in?return_to=${encodeURIComponent(location.pathname + location.search)}`);

/**
 * Asks for a recovery code until there is a session, or the reader gives up.
 * @param {string} [other] what a third button says, whose answer is `OTHER`
 * @returns {Promise<Session | typeof OTHER | null>}
 */
export async function recover(other) {
  let problem = '';
  for (;;) {
    const code = await ask({
      title: t('common.recover.title'),
      body: [t('common.recover.text'), problem].filter(Boolean),
      label: t('common.recover.code'),
      yes: t('common.recover.yes'),
      other,
    });
    if (code === OTHER) return OTHER;
    if (typeof code !== 'string') return null;
    try {
      return begin(await onsale.recover(code));
    } catch (error) {
      problem = errorText(error);
    }
  }
}

/** Signs in again: elsewhere, where that is set, else with a recovery code. */
export const signInAgain = () => (page.sign_in ? signInElsewhere() : recover());

/**
 * Whoever is signed in; asks for a name where nobody is, and sign-up is open.
 * @param {string} [why] what it is for, in words
 * @returns {Promise<Session | null>} null where they would not, or could not
 */
export async function ensure(why) {
  const already = current();
  if (already) return already;
  if (page.sign_in) {
    signInElsewhere();
    return null;
  }
  if (page.signup === false) {
    await tell({ title: t('common.signin.title'), body: t('common.signin.closed') });
    return null;
  }
  if (former()) {
    // Under a new name they would lose their place and their seats.
    const session = await recover(t('common.recover.fresh'));
    if (session !== OTHER) return /** @type {Session | null} */ (session);
  }
  let problem = '';
  for (;;) {
    const name = await ask({
      title: t('common.signin.title'),
      body: [why ?? t('common.signin.why'), problem].filter(Boolean),
      label: t('common.signin.name'),
      yes: t('common.signin.yes'),
      other: t('common.recover'),
      autocomplete: 'name',
    });
    if (name === null) return null;
    try {
      const session = name === OTHER ? await recover() : await signUp(/** @type {string} */ (name));
      if (session) return /** @type {Session} */ (session);
    } catch (error) {
      problem = errorText(error);
    }
  }
}

/**
 * Takes an access token out of the address (`#token=…`), where a shop of its own or an operator has
 * put one, and removes it from there, so that it is in no history.
 * @param {{ admin?: boolean }} [who] operators' tokens are kept for this tab only
 * @returns {Promise<void>}
 */
export async function takeToken({ admin = false } = {}) {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  if (admin) return tab.set(ADMIN, { token });
  const me = await new Onsale({ token: () => token }).me();
  signIn({ id: me.id, name: me.name, token, expires_at: expiryOf(token) });
}

/** The operator's token of this tab, or null. @returns {string | null} */
export const adminToken = () => tab.get(ADMIN)?.token ?? null;

/** Forgets the operator's token. */
export const forgetAdmin = () => tab.remove(ADMIN);
