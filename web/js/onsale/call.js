// @ts-check
/** One call of the API: what is sent, what comes back, and when to try again. */

/** Why a call came to nothing. Members that the code adds (`seat_ids`, `limit`, `balance`, …) are its own. */
export class OnsaleError extends Error {
  /**
   * @param {string} code the API's stable code; `network` where there was no answer, `aborted` where
   * the caller gave up
   * @param {number} status the HTTP status; 0 without an answer
   * @param {Record<string, any>} [body] the problem as it came
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

  /** Whether the same call may succeed a moment later. */
  get passing() {
    return this.code === 'network' || this.status === 429 || this.status === 503 || this.code === 'request_in_progress';
  }
}

/**
 * @typedef {object} Sent
 * @property {any} [body] sent as JSON
 * @property {string | null} [ticket] the `Queue-Token`
 * @property {string | null} [key] the `Idempotency-Key`: the call is repeated under it until there is
 * an answer
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {(headers: Headers) => void} [onHeaders] told what the answer's headers say
 * @property {number} [patience] for how long to try again, in ms; 0 is once. 20 s with a key
 */

/** What a call needs to know of its client. @typedef {{ base: string, fetch: typeof fetch, token: () => (string | null), onTime: (time: string, sent: number, received: number, slack?: number) => void }} Client */

/** Longest wait between two tries, in ms. */
const LONGEST = 30_000;

/**
 * How long to wait before the try after `failures` failures, in ms: up to 1, 2, 4, … 30 s, at
 * random, so that those who failed together do not come back together.
 * @param {number} failures
 */
export const backoff = (failures) => Math.min(LONGEST, 1000 * 2 ** Math.min(failures - 1, 5)) * (0.5 + Math.random() / 2);

/**
 * Waits; a signal ends it early, with an error.
 * @param {number} ms @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const give = () => {
      clearTimeout(timer);
      reject(new OnsaleError('aborted', 0));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', give);
      resolve();
    }, ms);
    if (signal?.aborted) give();
    else signal?.addEventListener('abort', give, { once: true });
  });
}

/**
 * A signal that is given when any of these is.
 * @param {...(AbortSignal | undefined)} signals
 * @returns {AbortSignal}
 */
export function either(...signals) {
  const both = new AbortController();
  for (const signal of signals) {
    if (signal?.aborted) both.abort();
    signal?.addEventListener('abort', () => both.abort(), { once: true, signal: both.signal });
  }
  return both.signal;
}

/** @param {Response} response @returns {Promise<OnsaleError>} */
export async function refusal(response) {
  let body;
  try {
    body = await response.json();
  } catch {
    // A proxy in between, perhaps: no problem of ours.
    body = {};
  }
  const seconds = Number(response.headers.get('retry-after'));
  const wait = response.headers.has('retry-after') && seconds >= 0 ? seconds * 1000 : null;
  const code = typeof body?.code === 'string' ? body.code : response.status === 503 || response.status === 502 || response.status === 504 ? 'store_unavailable' : 'unknown';
  return new OnsaleError(code, response.status === 502 || response.status === 504 ? 503 : response.status, body ?? {}, wait);
}

/**
 * Sends a request once.
 * @param {Client} client @param {string} method @param {string} path @param {Sent} sent
 * @returns {Promise<Response>} one with a good status
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
    // Cookies decide nothing, so none are sent.
    response = await client.fetch(client.base + path, { ...init, credentials: 'omit' });
  } catch {
    throw new OnsaleError(signal?.aborted ? 'aborted' : 'network', 0);
  }
  if (!response.ok && response.status !== 304) throw await refusal(response);
  return response;
}

/** The `Date` of an answer is in whole seconds, and a cache may have kept the answer for one more, in ms. */
const DATE_SLACK = 2000;

/**
 * Tells the time by the `Date` header, for answers without a better one in them. What a cache may have
 * kept for longer than a second tells nothing.
 * @param {Client} client @param {Headers} headers @param {number} began @param {number} arrived
 */
function tellTime(client, headers, began, arrived) {
  const date = Date.parse(headers.get('date') ?? '');
  const kept = Number(/max-age=(\d+)/.exec(headers.get('cache-control') ?? '')?.[1] ?? 0);
  if (Number.isNaN(date) || headers.has('age') || kept > 1) return;
  client.onTime(new Date(date + 1000).toISOString(), began, arrived, DATE_SLACK);
}

/** @param {Client} client @param {string} method @param {string} path @param {Sent} sent */
async function once(client, method, path, sent) {
  const began = performance.now();
  const response = await send(client, method, path, sent);
  const arrived = performance.now();
  tellTime(client, response.headers, began, arrived);
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
  // What a cache may have kept says nothing of the time now.
  const kept = (response.headers.get('cache-control') ?? '').includes('max-age');
  if (answer.server_time && !kept) client.onTime(answer.server_time, began, arrived);
  return answer;
}

/**
 * Calls the API. A call with an idempotency key is repeated under it while it is not known what
 * became of it, for as long as `patience` says; others once, unless `patience` is given.
 * @param {Client} client @param {string} method @param {string} path @param {Sent} [sent]
 * @returns {Promise<any>} the answer; null where it has no body
 */
export async function call(client, method, path, sent = {}) {
  const { key, signal, patience = key ? 20_000 : 0 } = sent;
  const end = performance.now() + patience;
  for (let failures = 1; ; failures += 1) {
    try {
      return await once(client, method, path, sent);
    } catch (error) {
      const wait = Math.max(error.retryAfter ?? 0, backoff(failures));
      if (!error.passing || performance.now() + wait > end) throw error;
      await pause(wait, signal);
    }
  }
}
