// @ts-check
/** Who is signed in. The access token is kept in this browser and goes out in headers only. */
import { Onsale } from '../onsale.js';
import { ask, tell } from './dialog.js';
import { local, onChange, tab } from './store.js';
import { errorText, t } from './text.js';
import { isKnown, learn, until } from './clock.js';
import { page } from './page.js';

/** @typedef {{ id: number, name: string, token: string, expires_at: string | null }} Session */

const KEY = 'onsale.session';
const ADMIN = 'onsale.admin';

/** @type {Set<(session: Session | null) => void>} */
const listeners = new Set();

/** Talks to the service in the name of whoever is signed in. */
export const onsale = new Onsale({ token: () => current()?.token ?? null, onTime: learn });

/** Who is signed in, or null. @returns {Session | null} */
export function current() {
  const kept = local.get(KEY);
  if (!kept?.token) return null;
  // By the server's clock: the device's may be wrong by days. Where that is not known yet, the service
  // has the last word, with 401.
  if (kept.expires_at && isKnown() && until(kept.expires_at) <= 0) return null;
  return kept;
}

/** Forgets all places in line: they are somebody's. */
function forgetPlaces() {
  for (const key of local.keys('onsale.ticket.')) local.remove(key);
}

/** Keeps somebody signed in. @param {Session} session */
export function signIn(session) {
  const before = local.get(KEY);
  if (before && before.id !== session.id) forgetPlaces();
  local.set(KEY, session);
  listeners.forEach((listener) => listener(session));
}

/** Forgets who was signed in, and their places in line. */
export function signOut() {
  forgetPlaces();
  local.remove(KEY);
  listeners.forEach((listener) => listener(null));
}

/** Calls back when somebody signs in or out, here or in another tab. @param {(session: Session | null) => void} listener */
export function onSession(listener) {
  listeners.add(listener);
}

onChange(KEY, () => listeners.forEach((listener) => listener(current())));

/** Signs somebody up by their name, and in. @param {string} name @returns {Promise<Session>} */
export async function signUp(name) {
  const made = await onsale.signUp(name);
  const session = { id: made.id, name: made.name, token: made.access_token, expires_at: made.expires_at };
  signIn(session);
  return session;
}

/**
 * Whoever is signed in; asks for a name where nobody is, and sign-up is open.
 * @param {string} [why] what it is for, in words
 * @returns {Promise<Session | null>} null where they would not, or could not
 */
export async function ensure(why) {
  const already = current();
  if (already) return already;
  if (page.signup === false) {
    await tell({ title: t('common.signin.title'), body: t('common.signin.closed') });
    return null;
  }
  let problem = '';
  for (;;) {
    const name = await ask({
      title: t('common.signin.title'),
      body: [why ?? t('common.signin.why'), problem].filter(Boolean),
      label: t('common.signin.name'),
      yes: t('common.signin.yes'),
      autocomplete: 'name',
    });
    if (name === null) return null;
    try {
      return await signUp(name);
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
  signIn({ id: me.id, name: me.name, token, expires_at: null });
}

/** The operator's token of this tab, or null. @returns {string | null} */
export const adminToken = () => tab.get(ADMIN)?.token ?? null;

/** Forgets the operator's token. */
export const forgetAdmin = () => tab.remove(ADMIN);
