// A buyer's journey with the types that openapi-typescript generates: join, poll, hold, pay.
//
// usage: node journey.js ADDRESS SCHEDULE

import type { components, operations } from './onsale.js';

type Schemas = components['schemas'];

/** The bodies of an operation's successes. */
type Success<Id extends keyof operations> = {
  [Status in keyof operations[Id]['responses'] & (200 | 201)]: operations[Id]['responses'][Status] extends {
    content: { 'application/json': infer Body };
  }
    ? Body
    : never;
}[keyof operations[Id]['responses'] & (200 | 201)];

/** The body that an operation takes. */
type Sent<Id extends keyof operations> = operations[Id] extends { requestBody: { content: { 'application/json': infer Body } } }
  ? Body
  : undefined;

/** A refusal, as the description has it. */
class Refused extends Error {
  constructor(readonly problem: Schemas['Problem']) {
    super(`${problem.code}: ${problem.detail}`);
  }
}

const [address = '', schedule = ''] = process.argv.slice(2);

async function call<Id extends keyof operations>(
  method: 'GET' | 'POST',
  path: string,
  body: Sent<Id>,
  headers: Record<string, string> = {},
): Promise<Success<Id>> {
  const init: RequestInit = { method, headers: { ...headers } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...headers, 'content-type': 'application/json' };
  }
  const answer = await fetch(address + path, init);
  if (!answer.ok) {
    throw new Refused((await answer.json()) as Schemas['Problem']);
  }
  return (await answer.json()) as Success<Id>;
}

function check(holds: boolean, what: unknown): asserts holds {
  if (!holds) {
    throw new Error(JSON.stringify(what));
  }
}

const user = await call<'sign_up'>('POST', '/v1/users', { name: 'Kim' });
const bearer = { authorization: `Bearer ${user.access_token}` };
const key = () => ({ ...bearer, 'idempotency-key': crypto.randomUUID() });

let ticket = await call<'join'>('POST', `/v1/schedules/${schedule}/queue`, undefined, bearer);
let token = ticket.queue_token;
check(typeof token === 'string', ticket);
for (const until = Date.now() + 60_000; ticket.status !== 'ACTIVE';) {
  check(Date.now() < until, ticket);
  const pause = ticket.poll_after_ms ?? 1000;
  await new Promise((resolve) => setTimeout(resolve, pause));
  ticket = await call<'poll'>('GET', '/v1/queue/ticket', undefined, { 'queue-token': token });
  token = ticket.queue_token ?? token;
}

const seats = `/v1/schedules/${schedule}/reservations`;
const inside = () => ({ ...key(), 'queue-token': token });
try {
  await call<'hold'>('POST', seats, { quantity: 0 }, inside());
  throw new Error('a hold of nothing was accepted');
} catch (error) {
  check(error instanceof Refused && error.problem.code === 'invalid_request', String(error));
  check(error.problem.errors?.[0]?.pointer === '/quantity', error.problem);
}
const held = await call<'hold'>('POST', seats, { quantity: 2 }, inside());
check(held.reservations.length === 2, held);

await call<'charge'>('POST', '/v1/points/charges', { amount: held.total_amount + 1 }, key());
const paid = await call<'pay'>('POST', '/v1/payments', { hold_id: held.hold_id }, key());
check(paid.total_amount === held.total_amount && paid.balance === 1, paid);

const owned = await call<'list_reservations'>('GET', '/v1/reservations', undefined, bearer);
check(owned.items.length === 2 && owned.items.every((one) => one.status === 'COMPLETE'), owned);
console.log('the program with the generated TypeScript types joined, polled, held and paid');
