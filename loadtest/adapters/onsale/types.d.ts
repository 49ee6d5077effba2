// The shapes of onsale's API, and what its adapter keeps.

import type { Sale } from '../../lib/types.d.ts';

export type * from '../../../web/js/onsale/types.d.ts';

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
  /** The ticket to send: the buyer's own, or this one. */
  ticket?: boolean | string;
  headers?: Record<string, string>;
}

/** Runs of numbers and ids that both rise by one: first number, first id, count. */
export type Runs = [number, number, number][];

/** A sale at onsale. */
export interface OnsaleSale extends Sale {
  concert: number;
  schedule: number;
  seatRuns: Runs;
  /** Ids of the users: number 0 is the administrator, unless a token for one was given. Empty: the tokens say. */
  userRuns: Runs;
  /** Tokens of the buyers, if they are few and cannot be signed. */
  tokens: string[];
}
