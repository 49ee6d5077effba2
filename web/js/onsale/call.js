// @ts-check
/** API calls: sending, errors, and repeating. */

/** @import * as Api from './types.d.ts' */

/** Why a call failed. The members that a code adds (`seat_ids`, `limit`, `balance`, …) become properties. */
export class OnsaleError extends Error {
  /** The seats that the refusal is about. @type {number[] | undefined} */
  seat_ids;
  /** The limit that was reached. @type {number | undefined} */
  limit;
  /** The user's points, and how many were needed. @type {number | undefined} */
  balance;
  /** @type {number | undefined} */
  required;
  /** The least role that the call needs. @type {string | undefined} */
  required_role;
  /** When joining opens. @type {string | undefined} */
  opens_at;
  /** Every error in the request. @type {Api.Problem['errors']} */
  errors;
  /** The state that another change has left, and its tag. @type {Record<string, any> | undefined} */
  current;
  /** @type {string | undefined} */
  etag;
  /** What keeps a draft from being published. @type {string[] | undefined} */
  obstacles;
  /** Seats that buyers have paid for, and hold. @type {number | undefined} */
  paid;
  /** @type {number | undefined} */
  held;

  /**
   * @param {string} code the API's stable code; `network` if no answer came, `aborted` if the
   * caller cancelled it
   * @param {number} status the HTTP status; 0 without an answer
   * @param {Api.Problem} [body] the received problem
   * @param {number | null} [retryAfter] how long to wait before the next try, in ms
   */
  constructor(code, status, body = {}, retryAfter = null) {
    super(body.detail ?? code);
    Object.assign(this, body);
    this.name = 'OnsaleError';
    /** @type {string} */
    this.code = code;
    /** @type {number} */
    this.status = status;
    /** @type {number | null} */
    this.retryAfter = retryAfter;
    /** @type {string} */
    this.detail = body.detail ?? code;
  }

  /** Returns the error itself, or for any other thrown value an error with the code `unknown`. @param {unknown} error */
  static from(error) {
    return error instanceof OnsaleError ? error : new OnsaleError('unknown', 0, { detail: String(error) });
  }

  /** Whether the same call may succeed later. */
  get passing() {
    return this.code === 'network' || this.status === 429 || this.status === 503 || this.code === 'request_in_progress';
  }
}

/**
 * @typedef {object} Sent
 * @property {unknown} [body] sent as JSON
 * @property {string | null} [ticket] the `Queue-Token`
 * @property {string | null} [key] the `Idempotency-Key`: the call is repeated under it until there is
 * an answer
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {(headers: Headers) => void} [onHeaders] called with the answer's headers
 * @property {number} [patience] how long to repeat the call, in ms; 0 for no repeat. The default is 20 s with
 * a key, else 0
 */

/**
 * What a call needs from its client.
 * @typedef {{ base: string, fetch: typeof fetch, token: () => (string | null), onTime: (time: string, sent: number, received: number, slack?: number) => void }} Client
 */

/** Longest wait between two attempts, in ms. */
const MAX_WAIT_MS = 30_000;

/**
 * The wait after `failures` failures, in ms: up to 1, 2, 4, … 30 s, at random, so that clients that failed
 * together do not come back together.
 * @param {number} failures
 */
export const backoff = (failures) => Math.min(MAX_WAIT_MS, 1000 * 2 ** Math.min(failures - 1, 5)) * (0.5 + Math.random() / 2);

/**
 * Waits. A signal ends the wait early with an error.
 * @param {number} ms @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      clearTimeout(timer);
      reject(new OnsaleError('aborted', 0));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', giveUp);
      resolve();
    }, ms);
    if (signal?.aborted) giveUp();
    else signal?.addEventListener('abort', giveUp, { once: true });
  });
}

/**
 * A signal that aborts when any of these does.
 * @param {...(AbortSignal | undefined)} signals
 * @returns {AbortSignal}
 */
export function anySignal(...signals) {
  const both = new AbortController();
  for (const signal of signals) {
    if (signal?.aborted) both.abort();
    signal?.addEventListener('abort', () => both.abort(), { once: true, signal: both.signal });
  }
  return both.signal;
}

/** Reads the error of a response. @param {Response} response @returns {Promise<OnsaleError>} */
export async function readError(response) {
  let body;
  try {
    body = await response.json();
  } catch {
    // Not a problem of the API, perhaps from a proxy.
    body = {};
  }
  const seconds = Number(response.headers.get('retry-after'));
  const wait = response.headers.has('retry-after') && seconds >= 0 ? seconds * 1000 : null;
  const code =
    typeof body?.code === 'string'
      ? body.code
      : response.status === 503 || response.status === 502 || response.status === 504
        ? 'store_unavailable'
        : 'unknown';
  return new OnsaleError(code, response.status === 502 || response.status === 504 ? 503 : response.status, body ?? {}, wait);
}

/**
 * Sends a request once.
 * @param {Client} client @param {string} method @param {string} path @param {Sent} sent
 * @returns {Promise<Response>} a successful one, or `304`
 */
export async function send(client, method, path, { body, ticket, key, headers = {}, signal }) {
  const token = client.token();
  /** @type {Record<string, string>} */
  const all = { ...headers };
  if (token) all.Authorization = `Bearer ${token}`;
  if (ticket) all['Queue-Token'] = ticket;
  if (key) all['Idempotency-Key'] = key;
  if (body !== undefined) all['Content-Type'] = 'application/json';
  const init = { method, headers: all, body: body === undefined ? undefined : JSON.stringify(body), signal };
  let response;
  try {
    // The API ignores cookies, so none are sent.
    response = await client.fetch(client.base + path, { ...init, credentials: 'omit' });
  } catch {
    throw new OnsaleError(signal?.aborted ? 'aborted' : 'network', 0);
  }
  if (!response.ok && response.status !== 304) throw await readError(response);
  return response;
}

/** How inexact a `Date` header is, in ms: it is in whole seconds, and a cache may have kept the answer for one more. */
const DATE_SLACK = 2000;

/**
 * Reports the time by the `Date` header, for answers without a more exact one. Answers that a cache may
 * have kept for longer than a second are skipped.
 * @param {Client} client @param {Headers} headers @param {number} began @param {number} arrived
 */
function reportTime(client, headers, began, arrived) {
  const date = Date.parse(headers.get('date') ?? '');
  const kept = Number(/max-age=(\d+)/.exec(headers.get('cache-control') ?? '')?.[1] ?? 0);
  if (Number.isNaN(date) || headers.has('age') || kept > 1) return;
  client.onTime(new Date(date + 1000).toISOString(), began, arrived, DATE_SLACK);
}

/** @param {Client} client @param {string} method @param {string} path @param {Sent} sent */
async function callOnce(client, method, path, sent) {
  const began = performance.now();
  const response = await send(client, method, path, sent);
  const arrived = performance.now();
  reportTime(client, response.headers, began, arrived);
  sent.onHeaders?.(response.headers);
  const text = await response.text().catch(() => {
    throw new OnsaleError(sent.signal?.aborted ? 'aborted' : 'network', 0);
  });
  if (text === '' || response.status === 204 || response.status === 304) return null;
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new OnsaleError('network', 0);
  }
  // An answer that a cache may have kept does not contain the current time.
  const kept = (response.headers.get('cache-control') ?? '').includes('max-age');
  if (answer.server_time && !kept) client.onTime(answer.server_time, began, arrived);
  return answer;
}

/**
 * Calls the API. A call with an idempotency key is repeated while its result is unknown, for `patience`
 * ms. Other calls are made once, unless `patience` is given.
 * @template Answer
 * @param {Client} client @param {string} method @param {string} path @param {Sent} [sent]
 * @returns {Promise<Answer>} the answer; null if it has no body
 */
export async function call(client, method, path, sent = {}) {
  const { key, signal, patience = key ? 20_000 : 0 } = sent;
  const end = performance.now() + patience;
  for (let failures = 1; ; failures += 1) {
    try {
      return await callOnce(client, method, path, sent);
    } catch (error) {
      const { passing, retryAfter } = OnsaleError.from(error);
      const wait = Math.max(retryAfter ?? 0, backoff(failures));
      if (!passing || performance.now() + wait > end) throw error;
      await pause(wait, signal);
    }
  }
}
