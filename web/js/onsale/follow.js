// @ts-check
/** Follows a ticket or a seat map through network failures: by a stream if possible, else by polling. */
import { OnsaleError, backoff, call, pause } from './call.js';
import { readStream } from './events.js';

/** @import * as Api from './types.d.ts' */

/** Polls between two attempts to open a stream. */
const POLLS_PER_STREAM_TRY = 6;
/** Interval between polls of a seat map, in ms. */
const SEATS_INTERVAL_MS = 2000;
/** A stream without an event after this time is blocked by something in between, in ms. */
const FIRST_EVENT_MS = 8000;
/** After sleep, data older than this is polled at once, in ms. */
const NUDGE_AFTER_MS = 12_000;

/** How the service is reached: `live` by a stream, `polling` by polls, `lost` not at the moment.
 * @typedef {'connecting' | 'live' | 'polling' | 'lost'} Connection */

/**
 * @typedef {object} Following
 * @property {(ticket: Api.Ticket) => void} onTicket called with the ticket's state after each answer
 * @property {(token: string) => void} [onToken] called with the ticket to store from now on
 * @property {(connection: Connection, error: OnsaleError | null) => void} [onConnection]
 * @property {(stale: boolean) => void} [onStale] called with whether the data may be old because a store does not respond
 * @property {(error: OnsaleError) => void} [onEnd] called when the ticket is no longer usable, so that the user must join again
 * @property {() => boolean} [stream] whether to use a stream now; if not, it only polls. A browser
 * opens six connections to a site, so of many tabs only one should use a stream
 */

/** @typedef {{ stop: () => void, nudge: () => void }} Followed */

const FINAL_STATUSES = ['EXPIRED', 'LEFT', 'COMPLETED'];

/** The common part of following: stopping, waking up, and waiting after failures. */
class Follower {
  #end = new AbortController();
  #open = new AbortController();
  #rest = new AbortController();
  failures = 0;
  /** When the last data came, by `Date.now()`. */
  lastDataAt = Date.now();

  /** @param {(connection: Connection, error: OnsaleError | null) => void} onConnection called when the connection changes */
  constructor(onConnection) {
    this.onConnection = onConnection;
  }

  /** Aborts when following stops. */
  get signal() {
    return this.#end.signal;
  }

  get isStopped() {
    return this.#end.signal.aborted;
  }

  stop() {
    this.#end.abort();
    this.wake();
  }

  /** Returns a signal for a new stream, which `close` aborts. */
  open() {
    this.#open = new AbortController();
    if (this.isStopped) this.close();
    return this.#open.signal;
  }

  close() {
    this.#open.abort();
  }

  /** Closes the stream and ends the current wait, or else the next one. */
  wake() {
    this.close();
    this.#rest.abort();
  }

  /** @param {number} ms */
  async sleep(ms) {
    await pause(ms, this.#rest.signal).catch(() => {});
    this.#rest = new AbortController();
    if (this.isStopped) throw new OnsaleError('aborted', 0);
  }

  /** Reports a failure, then waits longer after each one. @param {OnsaleError} error */
  async waitAfterFailure(error) {
    this.failures += 1;
    this.onConnection('lost', error);
    await this.sleep(Math.max(error.retryAfter ?? 0, backoff(this.failures)));
  }

  /**
   * Starts. Also polls at once when the network is back or the device wakes up.
   * @param {() => Promise<void>} run @param {() => void} [nudged]
   * @returns {Followed}
   */
  start(run, nudged = () => {}) {
    const nudge = () => {
      this.failures = 0;
      nudged();
      this.wake();
    };
    if (typeof window !== 'undefined') {
      const nudgeIfOld = () => {
        if (document.visibilityState === 'visible' && Date.now() - this.lastDataAt > NUDGE_AFTER_MS) nudge();
      };
      window.addEventListener('online', nudge, { signal: this.signal });
      window.addEventListener('pageshow', nudgeIfOld, { signal: this.signal });
      document.addEventListener('visibilitychange', nudgeIfOld, { signal: this.signal });
    }
    this.onConnection('connecting', null);
    run().catch(() => {});
    return { stop: () => this.stop(), nudge };
  }
}

/**
 * Follows a ticket until it is final or following is stopped: by a stream if possible, else by polling.
 * @param {import('./call.js').Client} client @param {string} token @param {Following} on
 * @returns {Followed}
 */
export function followTicket(client, token, on) {
  const follower = new Follower((connection, error) => on.onConnection?.(connection, error));
  let [ticket, last, retry] = [token, /** @type {string | null} */ (null), 1000];
  let [final, polls] = [false, 0];

  /** @param {Api.Ticket} view */
  const onView = (view) => {
    [follower.lastDataAt, follower.failures] = [Date.now(), 0];
    if (view.queue_token && view.queue_token !== ticket) {
      ticket = view.queue_token;
      on.onToken?.(ticket);
    }
    final = FINAL_STATUSES.includes(view.status);
    on.onStale?.(false);
    on.onTicket(view);
  };

  /** Polls once. Returns the wait until the next poll, in ms. */
  const poll = async () => {
    /** @type {Api.Ticket} */
    const view = await call(client, 'GET', '/v1/queue/ticket', { ticket, signal: follower.signal });
    onView(view);
    if (!final) follower.onConnection('polling', null);
    return view.poll_after_ms ?? 5000;
  };

  /** Reads the stream until it ends. Returns whether a ticket came. */
  const listen = async () => {
    let any = false;
    const first = setTimeout(() => any || follower.close(), FIRST_EVENT_MS);
    const how = {
      ticket,
      last,
      signal: follower.open(),
      onBytes: () => (follower.lastDataAt = Date.now()),
      onRetry: (/** @type {number} */ ms) => (retry = Math.min(ms, 10_000)),
    };
    try {
      const ended = await readStream(client, '/v1/queue/ticket/stream', how, ({ event, id, data }) => {
        if (event === 'stale') return on.onStale?.(true);
        if (event !== 'ticket') return undefined;
        [any, last] = [true, id ?? last];
        follower.onConnection('live', null);
        return onView(/** @type {Api.Ticket} */ (data));
      });
      if (ended === 'final') await poll();
    } finally {
      clearTimeout(first);
    }
    return any;
  };

  const run = async () => {
    while (!final) {
      try {
        if (polls % POLLS_PER_STREAM_TRY === 0 && (on.stream?.() ?? true)) {
          const began = Date.now();
          const any = await listen().catch((/** @type {unknown} */ error) => {
            // The stream was opened elsewhere, a proxy blocks streams, or a process drains: poll instead.
            if (follower.isStopped || OnsaleError.from(error).status === 401) throw error;
            return false;
          });
          if (final) return;
          if (any && Date.now() - began > 5000) {
            await follower.sleep(retry * (0.5 + Math.random()));
            continue;
          }
        }
        polls += 1;
        await follower.sleep(await poll());
      } catch (error) {
        if (follower.isStopped) return;
        const failure = OnsaleError.from(error);
        if ([401, 403, 404].includes(failure.status)) {
          on.onEnd?.(failure);
          return;
        }
        await follower.waitAfterFailure(failure);
        polls = 0;
      }
    }
  };

  return follower.start(run, () => (polls = 0));
}

/**
 * @typedef {object} FollowingSeats
 * @property {(changes: Api.SeatChanges) => void} onSeats
 * called for every step from one version to the next, also if no seat changed
 * @property {() => void} onReload called when the changes are no longer available: load the status again and follow from there
 * @property {(connection: Connection, error: OnsaleError | null) => void} [onConnection]
 * @property {(stale: boolean) => void} [onStale]
 * @property {() => boolean} [stream] whether to use a stream now, as in `Following`
 */

/**
 * Follows a seat map from `version` on.
 * @param {import('./call.js').Client} client @param {number} schedule @param {string} version of the status that was loaded
 * @param {FollowingSeats} on
 * @returns {Followed}
 */
export function followSeats(client, schedule, version, on) {
  const follower = new Follower((connection, error) => on.onConnection?.(connection, error));
  let since = version;

  const path = (/** @type {string} */ what) => `/v1/schedules/${schedule}/seats/${what}?since=${encodeURIComponent(since)}`;
  const reload = () => {
    follower.stop();
    on.onReload();
  };
  const onChanges = (/** @type {Api.SeatChanges} */ changes) => {
    since = changes.version;
    on.onSeats(changes);
  };

  const listen = () =>
    readStream(
      client,
      path('stream'),
      { signal: follower.open(), onBytes: () => (follower.lastDataAt = Date.now()) },
      ({ event, data }) => {
        if (event === 'stale') return on.onStale?.(true);
        follower.failures = 0;
        follower.onConnection('live', null);
        on.onStale?.(false);
        if (event === 'reload') return reload();
        return event === 'seats' ? onChanges(/** @type {Api.SeatChanges} */ (data)) : undefined;
      },
    );

  /** Polls once for the changes. */
  const poll = async () => {
    let old = false;
    const onHeaders = (/** @type {Headers} */ headers) => {
      // A cache may add up to one second of age.
      old = Number(headers.get('age') ?? 0) > 1;
    };
    /** @type {Api.SeatBits | Api.SeatChanges} */
    const answer = await call(client, 'GET', path('status'), { signal: follower.signal, onHeaders });
    follower.lastDataAt = Date.now();
    follower.onConnection('polling', null);
    on.onStale?.(old);
    return 'seats' in answer ? onChanges(answer) : reload();
  };

  const run = async () => {
    while (!follower.isStopped) {
      try {
        const pushed = on.stream?.() ?? true;
        if (pushed) {
          await listen().catch((/** @type {unknown} */ error) => {
            if (follower.isStopped || OnsaleError.from(error).status === 404) throw error;
          });
          follower.failures += 1;
        }
        if (!follower.isStopped) await poll();
        if (!pushed) follower.failures = 0;
        await follower.sleep(pushed ? Math.min(backoff(follower.failures), SEATS_INTERVAL_MS) : SEATS_INTERVAL_MS);
      } catch (error) {
        if (follower.isStopped) return;
        const failure = OnsaleError.from(error);
        if (failure.status === 404) return follower.onConnection('lost', failure);
        await follower.waitAfterFailure(failure);
      }
    }
    return undefined;
  };

  return follower.start(run);
}
