// The shapes that the scenarios share, for `npm run check`.

export type * from '../../web/js/onsale/types.d.ts';

declare global {
  /** k6 has one, which its types leave out. */
  var console: { error(text: string): void };
}

/** An answer of the service. Only a success has the body that its route promises. */
export interface Answer<Body> {
  status: number;
  body: Body;
  /** The problem code of a refusal; null for a success. */
  code: string | null;
  text: string;
  etag: string | null;
  /** Whether the answer is the stored one of an earlier request with the same key. */
  replayed: boolean;
  /** In seconds. */
  retryAfter: number | null;
}

/** What a request adds to the headers and the body. */
export interface Sent {
  body?: unknown;
  key?: string | null;
  /** Whether the ticket is sent. */
  ticket?: boolean;
  headers?: Record<string, string>;
}

/** The concert of a run, as setup() returns it. */
export interface Sale {
  run: string;
  concert: number;
  schedule: number;
  /** The number of seats. */
  seats: number;
  capacity: number;
  /** Runs of seats whose numbers and ids both rise by one: number, id, count. */
  seatRuns: [number, number, number][];
}

/** How a buyer's visit ended. */
export type End = 'bought' | 'sold_out' | 'left' | 'never_paid' | 'slot_ran_out' | 'gave_up';

/** Held seats, with when they were held (`Date.now()`). */
export interface Held {
  hold: import('../../web/js/onsale/types.d.ts').Hold;
  heldAt: number;
  end?: undefined;
}

/** What was seen of a metric, by the name of each figure. */
export type Values = Record<string, number>;
/** The figures of a route's latency. */
export type Figures = Record<'count' | 'min' | 'med' | 'p(95)' | 'p(99)' | 'max', number>;

/** k6's summary of a run. */
export interface Summary {
  metrics: Record<string, { type: string; values: Values; thresholds?: Record<string, { ok: boolean }> }>;
  state: { testRunDurationMs: number };
}

/** The settings of a run, shown in the report. */
export type Settings = Record<string, string | number>;

export interface Report {
  scenario: string;
  profile: string;
  passed: boolean;
  ended_at: string;
  run_seconds: number;
  size: Settings;
  requests: number;
  thresholds: { metric: string; limit: string; ok: boolean; found: number | null }[];
  routes: ({ route: string } & Figures)[];
  counts: Values;
  trends: Record<string, Values>;
}
