// Following without a browser: streams, polls and nudges.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Onsale } from '../../../web/js/onsale.js';

/** Creates a fake service, answered by the test: `next` returns the next call. */
function createFakeService() {
  /** @typedef {{ url: string, signal: AbortSignal, tell: (body: unknown, headers?: Record<string, string>) => void }} Call */
  /** @type {Call[]} */
  const calls = [];
  /** @type {((call: Call) => void)[]} */
  const waiting = [];
  /** @type {typeof globalThis.fetch} */
  const fetch = (url, init) =>
    new Promise((resolve, reject) => {
      const signal = init?.signal ?? new AbortController().signal;
      signal.addEventListener('abort', () => reject(new Error('aborted')));
      if (signal.aborted) reject(new Error('aborted'));
      /** @type {Call['tell']} */
      const tell = (body, headers = {}) => resolve(new Response(typeof body === 'string' ? body : JSON.stringify(body), { headers }));
      const call = { url: String(url), signal, tell };
      const asked = waiting.shift();
      if (asked) asked(call);
      else calls.push(call);
    });
  /** @returns {Promise<Call>} */
  const next = async () => calls.shift() ?? new Promise((resolve) => waiting.push(resolve));
  return { onsale: new Onsale({ fetch }), next, calls };
}

const STREAM = '/v1/schedules/7/seats/stream?since=';
const STATUS = '/v1/schedules/7/seats/status?since=';
const step = (/** @type {string} */ since, /** @type {string} */ version) => ({ since, version, seats: [] });
const ignore = { onSeats() {}, onReload() {} };

test('a map is polled while streams are not wanted, and streamed as soon as they are', async () => {
  const { onsale, next } = createFakeService();
  /** @type {string[]} */
  const steps = [];
  /** @type {string[]} */
  const how = [];
  let stream = false;
  const following = onsale.followSeats(7, 'a', {
    stream: () => stream,
    onSeats: ({ version }) => steps.push(version),
    onReload: assert.fail,
    onConnection: (connection) => how.push(connection),
  });
  const question = await next();
  assert.equal(question.url, `${STATUS}a`);
  stream = true;
  following.nudge();
  question.tell(step('a', 'b'));
  const pushed = await next();
  assert.equal(pushed.url, `${STREAM}b`, 'a nudge during a poll is not lost');
  pushed.tell(`event: seats\ndata: ${JSON.stringify(step('b', 'c'))}\n\n`);
  // The stream has ended, so it polls from the last version.
  assert.equal((await next()).url, `${STATUS}c`);
  assert.deepEqual(
    [steps, how],
    [
      ['b', 'c'],
      ['connecting', 'polling', 'live'],
    ],
  );
  following.stop();
});

test('stopping closes the connection and ends the polls', async () => {
  const { onsale, next, calls } = createFakeService();
  const following = onsale.followSeats(7, 'a', ignore);
  const pushed = await next();
  assert.equal(pushed.url, `${STREAM}a`);
  following.stop();
  following.nudge();
  assert.equal(pushed.signal.aborted, true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(calls, []);
});

test('when the changes are no longer available a reload is requested, once', async () => {
  const { onsale, next, calls } = createFakeService();
  let reloads = 0;
  onsale.followSeats(7, 'a', { ...ignore, stream: () => false, onReload: () => (reloads += 1) });
  (await next()).tell({ version: 'z', layout_version: 1, status: '' });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([reloads, calls], [1, []]);
});

test('a polled map is stale by its age, except for a second from a cache', async () => {
  for (const { headers, old } of [
    { headers: {}, old: false },
    { headers: { age: '1' }, old: false },
    { headers: { age: '4' }, old: true },
  ]) {
    const { onsale, next } = createFakeService();
    /** @type {boolean[]} */
    const stales = [];
    const following = onsale.followSeats(7, 'a', { ...ignore, stream: () => false, onStale: (stale) => stales.push(stale) });
    (await next()).tell(step('a', 'b'), { ...headers });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(stales, [old], JSON.stringify(headers));
    following.stop();
  }
});

test('a ticket is streamed as soon as its tab leads, even during a poll', async () => {
  const { onsale, next } = createFakeService();
  let stream = false;
  const following = onsale.follow('t', { stream: () => stream, onTicket() {} });
  const question = await next();
  assert.equal(question.url, '/v1/queue/ticket');
  stream = true;
  following.nudge();
  question.tell({ status: 'WAITING', poll_after_ms: 60_000 });
  assert.equal((await next()).url, '/v1/queue/ticket/stream');
  following.stop();
});

test('a final ticket is not followed any further', async () => {
  const { onsale, next, calls } = createFakeService();
  /** @type {string[]} */
  const seen = [];
  onsale.follow('t', { stream: () => false, onTicket: ({ status }) => seen.push(status) });
  (await next()).tell({ status: 'LEFT', poll_after_ms: null });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([seen, calls], [['LEFT'], []]);
});
