// @ts-check
/** The console's API calls, with the operator's token. */
import { Onsale, OnsaleError } from '../onsale.js';
import { readError } from '../onsale/call.js';
import { syncClock } from '../lib/clock.js';
import { adminToken } from '../lib/session.js';
import { withIdempotencyKey } from '../lib/store.js';

/** @import * as Api from '../onsale/types.d.ts' */
/** @typedef {Api.AdminConcert} Concert */
/** @typedef {Api.AdminSchedule} Schedule */

// An operator must see current data, so answers are never cached, not even for a second.
/** @type {typeof fetch} */
const fetchFresh = (what, how) => fetch(what, { ...how, cache: 'no-store' });
const onsale = new Onsale({ token: adminToken, onTime: syncClock, fetch: fetchFresh });

/** The client for streams. */
export const client = onsale.client;

/** @type {(status: number) => void} */
let refused = () => {};

/** Calls `listener` when the token is not, or no longer, an operator's. @param {(status: number) => void} listener */
export function onRefused(listener) {
  refused = listener;
}

/** Reports an error to the listener if the service refused the token. @param {unknown} error */
export function reportRefusal(error) {
  const { status, required_role } = OnsaleError.from(error);
  // A token of a higher role is needed for one call only: the operator stays signed in.
  if (status === 401 || (status === 403 && required_role === 'viewer')) refused(status);
  return error;
}

/**
 * @template Answer
 * @param {string} method @param {string} path @param {import('../onsale/call.js').Sent} [sent]
 * @returns {Promise<Answer>}
 */
export async function call(method, path, sent) {
  try {
    return await onsale.call(method, path, sent);
  } catch (error) {
    throw reportRefusal(error);
  }
}

/**
 * Reads, and repeats for up to 3 s if a store does not respond.
 * @template Answer
 * @param {string} path @param {AbortSignal} [signal]
 * @returns {Promise<Answer>}
 */
export const get = (path, signal) => call('GET', path, { patience: 3000, signal });

/** @template Body, Answer @param {string} path @param {Body} body @returns {Promise<Answer>} */
export const post = (path, body) => call('POST', path, { body });

/**
 * An answer with the tag of the state that it describes.
 * @template Answer
 * @typedef {{ answer: Answer, tag: string }} Tagged
 */

/**
 * Reads a state with its tag, for a later change.
 * @template Answer
 * @param {string} path
 * @returns {Promise<Tagged<Answer>>}
 */
export async function getTagged(path) {
  let tag = '';
  /** @type {Answer} */
  const answer = await call('GET', path, { patience: 3000, onHeaders: (headers) => (tag = headers.get('etag') ?? '') });
  return { answer, tag };
}

/**
 * Sends a change that applies only to the state with this tag.
 * @template Answer
 * @param {string} method @param {string} path @param {unknown} body @param {string} tag
 * @returns {Promise<Tagged<Answer>>}
 */
export async function sendTagged(method, path, body, tag) {
  let next = '';
  /** @type {Record<string, string>} */
  const headers = tag ? { 'If-Match': tag } : {};
  const onHeaders = (/** @type {Headers} */ answered) => (next = answered.get('etag') ?? '');
  /** @type {Answer} */
  const answer = await call(method, path, { body, headers, onHeaders });
  return { answer, tag: next };
}

/**
 * Posts under an idempotency key: a call without an answer is repeated, and has its effect once.
 * @template Body, Answer
 * @param {string} path @param {Body} body
 * @returns {Promise<Answer>}
 */
export const postOnce = (path, body) => withIdempotencyKey(path, (key) => call('POST', path, { body, key }));

/** @template Body, Answer @param {string} path @param {Body} body @returns {Promise<Answer>} */
export const patch = (path, body) => call('PATCH', path, { body });

/**
 * Fetches all pages of a list, up to `most` items.
 * @template Item
 * @param {string} path @param {number} [most]
 * @returns {Promise<Item[]>}
 */
export async function fetchAll(path, most = 1000) {
  /** @type {Item[]} */
  const items = [];
  let cursor = '';
  do {
    /** @type {Api.List<Item>} */
    const page = await get(`${path}${path.includes('?') ? '&' : '?'}limit=200${cursor}`);
    items.push(...page.items);
    cursor = page.next_cursor ? `&cursor=${encodeURIComponent(page.next_cursor)}` : '';
  } while (cursor && items.length < most);
  return items;
}

/** Checks that a token is an operator's; throws if not. @param {string} token */
export async function checkOperator(token) {
  await new Onsale({ token: () => token }).call('GET', '/v1/admin/health', { patience: 3000 });
}

/** Downloads a file of the API, with the token in a header. @param {string} path @param {string} name */
export async function download(path, name) {
  const response = await fetch(path, { headers: { Authorization: `Bearer ${adminToken()}` }, credentials: 'omit' });
  if (!response.ok) throw reportRefusal(await readError(response));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
