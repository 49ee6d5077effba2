// @ts-check
/** The session. The access token is stored in this browser and sent in headers only. */
import { Onsale } from '../onsale.js';
import { runExclusively } from './exclusive.js';
import { isClockSynced, syncClock, serverNow, msUntil } from './clock.js';
import { OTHER, ask, showInfo } from './dialog.js';
import { readClaims } from './jwt.js';
import { page } from './page.js';
import { localStore, onStoredChange, tabStore } from './store.js';
import { errorText, t } from './text.js';

/**
 * @typedef {object} Session
 * @property {number} id
 * @property {string} name
 * @property {string} token
 * @property {string | null} expires_at
 * @property {boolean} [ended] whether the service refused the token, so that the user has to sign in again
 */

const KEY = 'onsale.session';
const ADMIN = 'onsale.admin';

/** A token with less than this left is renewed, in ms. */
const RENEW_BELOW_MS = 12 * 3_600_000;
/** A renewal must extend the session by more than this, in ms. */
const MIN_GAIN_MS = 60_000;
/** Timeout of a sign-up, in ms. Afterwards another one can be tried. */
const SIGN_UP_TIMEOUT_MS = 30_000;

/** @type {Set<(session: Session | null) => void>} */
const listeners = new Set();

/** The API client, with the signed-in user's token. */
export const onsale = new Onsale({ token: () => currentSession()?.token ?? null, onTime: syncClock, fetch: fetchAndWatch });

/** @returns {Session | null} */
const loadSession = () => localStore.get(KEY);

/** The session of the signed-in user, or null. @returns {Session | null} */
export function currentSession() {
  const session = loadSession();
  if (!session?.token || session.ended) return null;
  // Judged by the server's clock, since the device's may be wrong by days. Until that is known, the
  // service decides, with a 401.
  if (session.expires_at && isClockSynced() && msUntil(session.expires_at) <= 0) return null;
  return session;
}

/**
 * The user who is signed in, or whose session has ended but whose tickets are still here.
 * @returns {{ id: number, name: string } | null}
 */
export function knownUser() {
  const session = loadSession();
  return session?.id ? { id: session.id, name: session.name } : null;
}

/** The user who has to sign in again, or null. */
export const formerUser = () => (currentSession() ? null : knownUser());

/** Milliseconds until the token expires; null if unknown. */
export function sessionTimeLeft() {
  const ends = currentSession()?.expires_at;
  return ends ? Date.parse(ends) - serverNow() : null;
}

/** Calls `listener` when a user signs in or out, here or in another tab. @param {(session: Session | null) => void} listener */
export function onSessionChange(listener) {
  listeners.add(listener);
}

const notifyListeners = () => listeners.forEach((listener) => listener(currentSession()));
onStoredChange(KEY, notifyListeners);

/** Stores a session. Tickets of other users stay stored but are not used. @param {Session} session */
export function signIn(session) {
  localStore.set(KEY, session);
  notifyListeners();
}

/** Removes the session and all tickets. */
export function signOut() {
  for (const key of localStore.keys('onsale.ticket.')) localStore.remove(key);
  localStore.remove(KEY);
  notifyListeners();
}

/**
 * Fetches, and ends the session if the service refuses its token.
 * @param {RequestInfo | URL} input @param {RequestInit} [init]
 */
async function fetchAndWatch(input, init) {
  const response = await globalThis.fetch(input, init);
  const sent = /** @type {Record<string, string>} */ (init?.headers ?? {}).Authorization;
  if (response.status === 401 && sent) {
    const problem = await response
      .clone()
      .json()
      .catch(() => null);
    const session = currentSession();
    if (problem?.code === 'unauthenticated' && session && sent === `Bearer ${session.token}`) {
      signIn({ ...session, ended: true });
    }
  }
  return response;
}

/** Reads when a token expires. @param {string} token */
function readExpiry(token) {
  const { exp } = readClaims(token);
  return typeof exp === 'number' ? new Date(exp * 1000).toISOString() : null;
}

/** @param {{ id: number, name: string, access_token: string, expires_at: string }} made @returns {Session} */
function startSession(made) {
  const session = { id: made.id, name: made.name, token: made.access_token, expires_at: made.expires_at };
  signIn(session);
  return session;
}

/** @type {Promise<Session> | null} */
let signingUp = null;

/**
 * Signs a user up by name, and in. Only one sign-up runs at a time across all tabs; calls during it
 * get the same session.
 * @param {string} name
 * @returns {Promise<Session>}
 */
export function signUp(name) {
  const once = async () => {
    const already = currentSession();
    if (already) return already;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), SIGN_UP_TIMEOUT_MS);
    return startSession(await onsale.signUp(name, { signal: late.signal }).finally(() => clearTimeout(timer)));
  };
  signingUp ??= runExclusively('sign-up', once).finally(() => (signingUp = null));
  return signingUp;
}

/** Whether the session's token can and should be renewed now. @param {Session | null} session */
function isRenewalDue(session) {
  const end = session && readClaims(session.token).renew_until;
  if (!end || !session.expires_at) return false;
  const expires = Date.parse(session.expires_at);
  return expires - serverNow() < RENEW_BELOW_MS && end * 1000 - expires > MIN_GAIN_MS;
}

/** Whether the session can be extended without signing in again. */
export function isRenewable() {
  const session = currentSession();
  const end = session && readClaims(session.token).renew_until;
  return Boolean(end && session.expires_at && end * 1000 - Date.parse(session.expires_at) > MIN_GAIN_MS);
}

/** Renews the token if it is due, in one tab only. */
export async function renewSession() {
  if (!isRenewalDue(currentSession())) return;
  await runExclusively('renew', async () => {
    const session = currentSession();
    if (!session || !isRenewalDue(session)) return;
    const { access_token: token, expires_at } = await onsale.renew();
    // Another user may have signed in meanwhile.
    if (currentSession()?.token === session.token) localStore.set(KEY, { ...session, token, expires_at });
  });
}

/** Goes to the site on which buyers sign in. It sends them back to this page. */
export const signInElsewhere = () => location.assign(`/sign-in?return_to=${encodeURIComponent(location.pathname + location.search)}`);

/**
 * Asks for a recovery code until it is valid or the user cancels.
 * @param {string} [other] label of a third button, whose answer is `OTHER`
 * @returns {Promise<Session | typeof OTHER | null>}
 */
export async function signInWithCode(other) {
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
      return startSession(await onsale.recover(code));
    } catch (error) {
      problem = errorText(error);
    }
  }
}

/** Signs in again: on the other site if there is one, else with a recovery code. */
export const signInAgain = () => (page.sign_in ? signInElsewhere() : signInWithCode());

/**
 * Returns the session. If there is none, asks the user to sign in or sign up.
 * @param {string} [why] the reason, as a text for the dialog
 * @returns {Promise<Session | null>} null if the user cancelled or can't sign in here
 */
export async function ensureSignedIn(why) {
  const already = currentSession();
  if (already) return already;
  if (page.sign_in) {
    signInElsewhere();
    return null;
  }
  if (page.signup === false) {
    await showInfo({ title: t('common.signin.title'), body: t('common.signin.closed') });
    return null;
  }
  if (formerUser()) {
    // Signing up again would make another user, without the place in line and the seats.
    const session = await signInWithCode(t('common.recover.fresh'));
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
      const session = name === OTHER ? await signInWithCode() : await signUp(/** @type {string} */ (name));
      if (session) return /** @type {Session} */ (session);
    } catch (error) {
      problem = errorText(error);
    }
  }
}

/**
 * Takes an access token out of the address (`#token=…`), where the organiser's site or an operator has
 * put it. Removes it from the address, so that it is not in the history.
 * @param {{ admin?: boolean }} [who] an operator's token is stored for this tab only
 * @returns {Promise<void>}
 */
export async function takeTokenFromAddress({ admin = false } = {}) {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  if (admin) return tabStore.set(ADMIN, { token });
  const me = await new Onsale({ token: () => token }).me();
  signIn({ id: me.id, name: me.name, token, expires_at: readExpiry(token) });
}

/** This tab's operator token, or null. @returns {string | null} */
export const adminToken = () => tabStore.get(ADMIN)?.token ?? null;

/** Removes the operator's token. */
export const dropAdminToken = () => tabStore.remove(ADMIN);
