// @ts-check
/** Following a place in line, and a seat map, through all that a network does. */
import { OnsaleError, backoff, call, either, pause } from './call.js';
import { stream } from './events.js';

/** Polls between two tries to be pushed to. */
const POLLS = 6;
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

/** A wait that can be cut short. */
class Sleep {
  #wake = () => {};

  /** @param {number} ms @param {AbortSignal} signal */
  async for(ms, signal) {
    const cut = new AbortController();
    this.#wake = () => cut.abort();
    await pause(ms, either(signal, cut.signal)).catch(() => {});
    if (signal.aborted) throw new OnsaleError('aborted', 0);
  }

  wake() {
    this.#wake();
  }
}

/**
 * Calls `nudge` when it is worth looking at once: the network is back, or the device was asleep.
 * @param {() => number} heardAt when something was heard last, by Date.now() @param {() => void} nudge @param {AbortSignal} signal
 */
function wakeUps(heardAt, nudge, signal) {
  if (typeof window === 'undefined') return;
  const seen = () => {
    if (document.visibilityState === 'visible' && Date.now() - heardAt() > STALE) nudge();
  };
  window.addEventListener('online', nudge, { signal });
  window.addEventListener('pageshow', seen, { signal });
  document.addEventListener('visibilitychange', seen, { signal });
}

/**
 * Follows a ticket until it is final or told to stop: pushed to where that works, asking where it
 * does not.
 * @param {import('./call.js').Client} client @param {string} token @param {Following} on
 * @returns {Followed}
 */
export function followTicket(client, token, on) {
  const stop = new AbortController();
  const sleep = new Sleep();
  let [ticket, heardAt, failures, last, retry] = [token, 0, 0, /** @type {string | null} */ (null), 1000];
  /** @type {AbortController | null} */
  let open = null;
  let [over, polls] = [false, 0];

  /** @param {any} view */
  const told = (view) => {
    [heardAt, failures] = [Date.now(), 0];
    if (view.queue_token && view.queue_token !== ticket) {
      ticket = view.queue_token;
      on.onToken?.(ticket);
    }
    over = FINAL.includes(view.status);
    on.onStale?.(false);
    on.onTicket(view);
  };

  /** Asks once; how long until the next time, in ms. */
  const poll = async () => {
    const view = await call(client, 'GET', '/v1/queue/ticket', { ticket, signal: stop.signal });
    told(view);
    if (!over) on.onConnection?.('polling', null);
    return view.poll_after_ms ?? 5000;
  };

  /** Is pushed to until the connection ends; whether anything came. */
  const listen = async () => {
    let heard = false;
    open = new AbortController();
    const signal = either(stop.signal, open.signal);
    const first = setTimeout(() => heard || open?.abort(), FIRST_WORD);
    const how = {
      ticket,
      last,
      signal,
      onBytes: () => (heardAt = Date.now()),
      onRetry: (/** @type {number} */ ms) => (retry = Math.min(ms, 10_000)),
    };
    try {
      const ended = await stream(client, '/v1/queue/ticket/stream', how, ({ event, id, data }) => {
        if (event === 'stale') return on.onStale?.(true);
        if (event !== 'ticket') return undefined;
        [heard, last] = [true, id ?? last];
        on.onConnection?.('live', null);
        return told(data);
      });
      if (ended === 'final') await poll();
    } finally {
      clearTimeout(first);
      open = null;
    }
    return heard;
  };

  const run = async () => {
    while (!over) {
      try {
        if (polls % POLLS === 0 && (on.stream?.() ?? true)) {
          const began = Date.now();
          const heard = await listen().catch((error) => {
            // A new ticket was opened elsewhere, a proxy keeps streams back, a process drains: ask instead.
            if (stop.signal.aborted || error.status === 401) throw error;
            return false;
          });
          if (over) return;
          if (heard && Date.now() - began > 5000) {
            await sleep.for(retry * (0.5 + Math.random()), stop.signal);
            continue;
          }
        }
        polls += 1;
        await sleep.for(await poll(), stop.signal);
      } catch (error) {
        if (stop.signal.aborted) return;
        if (error.status === 401 || error.status === 403 || error.status === 404) {
          on.onEnd?.(error);
          return;
        }
        failures += 1;
        on.onConnection?.('lost', error);
        await sleep.for(Math.max(error.retryAfter ?? 0, backoff(failures)), stop.signal);
        polls = 0;
      }
    }
  };

  const nudge = () => {
    [failures, polls] = [0, 0];
    open?.abort();
    sleep.wake();
  };
  wakeUps(() => heardAt, nudge, stop.signal);
  on.onConnection?.('connecting', null);
  run().catch(() => {});
  return { stop: () => stop.abort(), nudge };
}

/**
 * Follows a seat map from `version` on.
 * @param {import('./call.js').Client} client @param {number} schedule @param {string} version of the status that was loaded
 * @param {{ onSeats: (changes: { version: string, since: string, seats: { id: number, status: string }[] }) => void, onReload: () => void, onConnection?: (connection: Connection, error: OnsaleError | null) => void, onStale?: (stale: boolean) => void }} on
 * `onSeats`: every step from one version to the next, also one that changed no seat. `onReload`: what changed is not known any more: load the status anew, and follow from there
 * @returns {Followed}
 */
export function followSeats(client, schedule, version, on) {
  const stop = new AbortController();
  const sleep = new Sleep();
  let [since, heardAt, failures] = [version, Date.now(), 0];
  /** @type {AbortController | null} */
  let open = null;

  const listen = () => {
    open = new AbortController();
    const signal = either(stop.signal, open.signal);
    const path = `/v1/schedules/${schedule}/seats/stream?since=${encodeURIComponent(since)}`;
    return stream(client, path, { signal, onBytes: () => (heardAt = Date.now()) }, ({ event, data }) => {
      if (event === 'stale') return on.onStale?.(true);
      failures = 0;
      on.onConnection?.('live', null);
      on.onStale?.(false);
      if (event === 'reload') {
        stop.abort();
        return on.onReload();
      }
      if (event === 'seats') {
        since = data.version;
        on.onSeats(data);
      }
      return undefined;
    });
  };

  /** Asks once for what changed, where streams do not get through. */
  const poll = async () => {
    const path = `/v1/schedules/${schedule}/seats/status?since=${encodeURIComponent(since)}`;
    const answer = await call(client, 'GET', path, { signal: stop.signal });
    heardAt = Date.now();
    on.onConnection?.('polling', null);
    if (!Array.isArray(answer.seats)) {
      stop.abort();
      return on.onReload();
    }
    since = answer.version;
    on.onSeats(answer);
    return undefined;
  };

  const run = async () => {
    while (!stop.signal.aborted) {
      try {
        await listen().catch((error) => {
          if (stop.signal.aborted || error.status === 404) throw error;
        });
        failures += 1;
        if (!stop.signal.aborted) await poll();
        await sleep.for(Math.min(backoff(failures), 3000), stop.signal);
      } catch (error) {
        if (stop.signal.aborted) return;
        on.onConnection?.('lost', error);
        if (error.status === 404) return;
        failures += 1;
        await sleep.for(Math.max(error.retryAfter ?? 0, backoff(failures)), stop.signal);
      }
    }
  };

  const nudge = () => {
    failures = 0;
    open?.abort();
    sleep.wake();
  };
  wakeUps(() => heardAt, nudge, stop.signal);
  on.onConnection?.('connecting', null);
  run().catch(() => {});
  return { stop: () => stop.abort(), nudge };
}
