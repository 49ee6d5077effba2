// @ts-check
/** Following a place in line, and a seat map, through all that a network does. */
import { OnsaleError, backoff, call, pause } from './call.js';
import { stream } from './events.js';

/** Polls between two tries to be pushed to. */
const POLLS = 6;
/** Between two questions what has changed on a map, in ms. */
const ASK = 2000;
/** A stream that has said nothing by then is kept back by something in between, in ms. */
const FIRST_WORD = 8000;
/** Back from sleep: what was last heard longer ago is asked for at once, in ms. */
const STALE = 12_000;

/** How it reaches the service: `live` is pushed to, `polling` asks, `lost` does neither at the moment.
 * @typedef {'connecting' | 'live' | 'polling' | 'lost'} Connection */

/**
 * @typedef {object} Following
 * @property {(ticket: any) => void} onTicket each answer: what the ticket is worth now
 * @property {(token: string) => void} [onToken] the ticket to keep from now on
 * @property {(connection: Connection, error: OnsaleError | null) => void} [onConnection]
 * @property {(stale: boolean) => void} [onStale] whether what was told may be old, since a store does not answer
 * @property {(error: OnsaleError) => void} [onEnd] the ticket is good for nothing: join again
 * @property {() => boolean} [stream] whether to be pushed to now; where it says no, it only asks. A
 * browser has six connections to a site: of many tabs, one should be pushed to
 */

/** @typedef {{ stop: () => void, nudge: () => void }} Followed */

const FINAL = ['EXPIRED', 'LEFT', 'COMPLETED'];

/** What following anything has: how it ends, how it is woken, and how it waits after failures. */
class Way {
  #end = new AbortController();
  #open = new AbortController();
  #rest = new AbortController();
  failures = 0;
  /** When something was heard last, by `Date.now()`. */
  heardAt = Date.now();

  /** @param {(connection: Connection, error: OnsaleError | null) => void} told how the service is reached */
  constructor(told) {
    this.told = told;
  }

  /** Given when it ends. */
  get signal() {
    return this.#end.signal;
  }

  get over() {
    return this.#end.signal.aborted;
  }

  stop() {
    this.#end.abort();
    this.wake();
  }

  /** A signal for a stream, which `close` gives. */
  open() {
    this.#open = new AbortController();
    if (this.over) this.close();
    return this.#open.signal;
  }

  close() {
    this.#open.abort();
  }

  /** Ends what is open, and the wait of now, or else the next one. */
  wake() {
    this.close();
    this.#rest.abort();
  }

  /** @param {number} ms */
  async rest(ms) {
    await pause(ms, this.#rest.signal).catch(() => {});
    this.#rest = new AbortController();
    if (this.over) throw new OnsaleError('aborted', 0);
  }

  /** Waits longer after each failure. @param {OnsaleError} error */
  async failed(error) {
    this.failures += 1;
    this.told('lost', error);
    await this.rest(Math.max(error.retryAfter ?? 0, backoff(this.failures)));
  }

  /**
   * Begins, and looks at once whenever that is worth it: the network is back, or the device was asleep.
   * @param {() => Promise<void>} run @param {() => void} [nudged]
   * @returns {Followed}
   */
  begin(run, nudged = () => {}) {
    const nudge = () => {
      this.failures = 0;
      nudged();
      this.wake();
    };
    if (typeof window !== 'undefined') {
      const seen = () => {
        if (document.visibilityState === 'visible' && Date.now() - this.heardAt > STALE) nudge();
      };
      window.addEventListener('online', nudge, { signal: this.signal });
      window.addEventListener('pageshow', seen, { signal: this.signal });
      document.addEventListener('visibilitychange', seen, { signal: this.signal });
    }
    this.told('connecting', null);
    run().catch(() => {});
    return { stop: () => this.stop(), nudge };
  }
}

/**
 * Follows a ticket until it is final or told to stop: pushed to where that works, asking where it
 * does not.
 * @param {import('./call.js').Client} client @param {string} token @param {Following} on
 * @returns {Followed}
 */
export function followTicket(client, token, on) {
  const way = new Way((connection, error) => on.onConnection?.(connection, error));
  let [ticket, last, retry] = [token, /** @type {string | null} */ (null), 1000];
  let [final, polls] = [false, 0];

  /** @param {any} view */
  const heard = (view) => {
    [way.heardAt, way.failures] = [Date.now(), 0];
    if (view.queue_token && view.queue_token !== ticket) {
      ticket = view.queue_token;
      on.onToken?.(ticket);
    }
    final = FINAL.includes(view.status);
    on.onStale?.(false);
    on.onTicket(view);
  };

  /** Asks once; how long until the next time, in ms. */
  const poll = async () => {
    const view = await call(client, 'GET', '/v1/queue/ticket', { ticket, signal: way.signal });
    heard(view);
    if (!final) way.told('polling', null);
    return view.poll_after_ms ?? 5000;
  };

  /** Is pushed to until the connection ends; whether anything came. */
  const listen = async () => {
    let any = false;
    const first = setTimeout(() => any || way.close(), FIRST_WORD);
    const how = {
      ticket,
      last,
      signal: way.open(),
      onBytes: () => (way.heardAt = Date.now()),
      onRetry: (/** @type {number} */ ms) => (retry = Math.min(ms, 10_000)),
    };
    try {
      const ended = await stream(client, '/v1/queue/ticket/stream', how, ({ event, id, data }) => {
        if (event === 'stale') return on.onStale?.(true);
        if (event !== 'ticket') return undefined;
        [any, last] = [true, id ?? last];
        way.told('live', null);
        return heard(data);
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
        if (polls % POLLS === 0 && (on.stream?.() ?? true)) {
          const began = Date.now();
          const any = await listen().catch((error) => {
            // A new ticket was opened elsewhere, a proxy keeps streams back, a process drains: ask instead.
            if (way.over || error.status === 401) throw error;
            return false;
          });
          if (final) return;
          if (any && Date.now() - began > 5000) {
            await way.rest(retry * (0.5 + Math.random()));
            continue;
          }
        }
        polls += 1;
        await way.rest(await poll());
      } catch (error) {
        if (way.over) return;
        if (error.status === 401 || error.status === 403 || error.status === 404) {
          on.onEnd?.(error);
          return;
        }
        await way.failed(error);
        polls = 0;
      }
    }
  };

  return way.begin(run, () => (polls = 0));
}

/**
 * @typedef {object} FollowingSeats
 * @property {(changes: { version: string, since: string, seats: { id: number, status: string }[] }) => void} onSeats
 * every step from one version to the next, also one that changed no seat
 * @property {() => void} onReload what changed is not known any more: load the status anew, and follow from there
 * @property {(connection: Connection, error: OnsaleError | null) => void} [onConnection]
 * @property {(stale: boolean) => void} [onStale]
 * @property {() => boolean} [stream] whether to be pushed to now, as in `Following`
 */

/**
 * Follows a seat map from `version` on.
 * @param {import('./call.js').Client} client @param {number} schedule @param {string} version of the status that was loaded
 * @param {FollowingSeats} on
 * @returns {Followed}
 */
export function followSeats(client, schedule, version, on) {
  const way = new Way((connection, error) => on.onConnection?.(connection, error));
  let since = version;

  const path = (/** @type {string} */ what) => `/v1/schedules/${schedule}/seats/${what}?since=${encodeURIComponent(since)}`;
  const reload = () => {
    way.stop();
    on.onReload();
  };
  const heard = (/** @type {any} */ changes) => {
    since = changes.version;
    on.onSeats(changes);
  };

  const listen = () =>
    stream(client, path('stream'), { signal: way.open(), onBytes: () => (way.heardAt = Date.now()) }, ({ event, data }) => {
      if (event === 'stale') return on.onStale?.(true);
      way.failures = 0;
      way.told('live', null);
      on.onStale?.(false);
      if (event === 'reload') return reload();
      return event === 'seats' ? heard(data) : undefined;
    });

  /** Asks once for what changed. */
  const poll = async () => {
    let old = false;
    const onHeaders = (/** @type {Headers} */ headers) => {
      // A cache in between adds no more than the second that it may keep the answer.
      old = Number(headers.get('age') ?? 0) > 1;
    };
    const answer = await call(client, 'GET', path('status'), { signal: way.signal, onHeaders });
    way.heardAt = Date.now();
    way.told('polling', null);
    on.onStale?.(old);
    return Array.isArray(answer.seats) ? heard(answer) : reload();
  };

  const run = async () => {
    while (!way.over) {
      try {
        const pushed = on.stream?.() ?? true;
        if (pushed) {
          await listen().catch((error) => {
            if (way.over || error.status === 404) throw error;
          });
          way.failures += 1;
        }
        if (!way.over) await poll();
        if (!pushed) way.failures = 0;
        await way.rest(pushed ? Math.min(backoff(way.failures), ASK) : ASK);
      } catch (error) {
        if (way.over) return;
        if (error.status === 404) return way.told('lost', error);
        await way.failed(error);
      }
    }
    return undefined;
  };

  return way.begin(run);
}
