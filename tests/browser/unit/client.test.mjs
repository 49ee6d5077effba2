// The client without a browser: parsing streams, errors and waits.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OnsaleError, backoff, anySignal } from '../../../web/js/onsale/call.js';
import { createParser } from '../../../web/js/onsale/events.js';
import { states } from '../../../web/js/onsale.js';

const TEXT =
  'retry: 2500\n: a comment\nevent: ticket\nid: 7\ndata: {"a":\ndata: 1}\n\nevent: stale\ndata: {}\n\ndata: no json\n\nevent: end\r\nid: end\r\ndata: {}\r\n\r\n';

test('a stream gives the same events however it is split', () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    /** @type {import('../../../web/js/onsale/events.js').Event[]} */
    const events = [];
    /** @type {number[]} */
    const retries = [];
    const take = createParser(
      (event) => events.push(event),
      (ms) => retries.push(ms),
    );
    for (let at = 0; at < TEXT.length; at += size) take(TEXT.slice(at, at + size));
    assert.deepEqual(
      events,
      [
        { event: 'ticket', id: '7', data: { a: 1 } },
        { event: 'stale', id: null, data: {} },
        { event: 'end', id: 'end', data: {} },
      ],
      `pieces of ${size}`,
    );
    assert.deepEqual(retries, [2500]);
  }
});

test('waits grow with each failure, are random, and last 30 s at most', () => {
  for (let failures = 1; failures <= 40; failures += 1) {
    const most = Math.min(30_000, 1000 * 2 ** Math.min(failures - 1, 5));
    for (let tries = 0; tries < 50; tries += 1) {
      const wait = backoff(failures);
      assert.ok(wait >= most / 2 && wait <= most, `${failures}: ${wait}`);
    }
  }
});

test('an error says whether the same call may succeed later', () => {
  const passing = /** @type {const} */ ([
    ['network', 0],
    ['overloaded', 503],
    ['rate_limited', 429],
    ['request_in_progress', 409],
  ]);
  for (const [code, status] of passing) assert.equal(new OnsaleError(code, status).passing, true, code);
  for (const [code, status] of /** @type {const} */ ([
    ['seat_taken', 409],
    ['aborted', 0],
    ['ticket_invalid', 401],
  ]))
    assert.equal(new OnsaleError(code, status).passing, false, code);
  const taken = new OnsaleError('seat_taken', 409, { seat_ids: [3], detail: 'gone' });
  assert.deepEqual([taken.seat_ids, taken.message, taken.code], [[3], 'gone', 'seat_taken']);
});

test('a combined signal aborts once any of its signals does', () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const both = anySignal(one.signal, undefined, other.signal);
  assert.equal(both.aborted, false);
  other.abort();
  assert.equal(both.aborted, true);
  assert.equal(anySignal(AbortSignal.abort()).aborted, true);
});

test('the two bits of each seat are read in the order of seat numbers', () => {
  // Seats 1 to 5: available, held, unavailable, available, held.
  const status = Buffer.from([0b00_10_01_00, 0b01]).toString('base64');
  assert.deepEqual([...states(status, 5)], [0, 1, 2, 0, 1]);
});
