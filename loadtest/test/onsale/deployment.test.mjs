// The kit against a deployment of onsale, by each way to say who the users are. Runs under
// `onsale dev --throwaway`, which sets the addresses and secrets of private stores; ONSALE_BIN names the binary.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { runK6 } from '../k6.mjs';

/** @typedef {import('../k6.mjs').Settings} Settings */

const BINARY = process.env.ONSALE_BIN ?? 'target/debug/onsale';
const SECRET = process.env.ONSALE_JWT_SECRET ?? '';
const SMALL = { BUYERS: '20', SEATS: '20', ARRIVE_WITHIN: '2', HOSTILE: '0.25' };
// k6 gets only the secret that a test gives it.
delete process.env.ONSALE_JWT_SECRET;

/** @type {import('node:child_process').ChildProcess[]} */
const services = [];
/** @type {Settings} */
let settings = {};
/** @type {Settings} */
let closed = {};
let admin = '';

before(async () => {
  const env = { ...process.env, ONSALE_JWT_SECRET: SECRET };
  assert.equal(spawnSync(BINARY, ['migrate'], { env, stdio: 'inherit' }).status, 0);
  admin = spawnSync(BINARY, ['admin', 'create'], { env, encoding: 'utf8' }).stdout.trim();
  const folder = await mkdtemp(join(tmpdir(), 'loadtest-'));
  settings = { BASE_URL: await serve('true'), REPORT_DIR: folder };
  closed = { BASE_URL: await serve('false'), REPORT_DIR: folder };
});

after(async () => {
  for (const service of services) service.kill();
  await rm(settings.REPORT_DIR, { recursive: true });
});

/** Starts a process of the service. Returns its address. @param {string} openSignup @returns {Promise<string>} */
function serve(openSignup) {
  const env = {
    ...process.env,
    ONSALE_JWT_SECRET: SECRET,
    ONSALE_LISTEN: '127.0.0.1:0',
    ONSALE_LOG: 'warn',
    ONSALE_OPEN_SIGNUP: openSignup,
  };
  const service = spawn(BINARY, ['serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  services.push(service);
  return new Promise((resolve, reject) => {
    service.stdout.on('data', (text) => {
      const address = /http:\/\/[\d.:]+/.exec(String(text))?.[0];
      if (address) resolve(address);
    });
    service.on('exit', (code) => reject(new Error(`onsale serve ended with ${code}`)));
  });
}

/** @param {number} schedule */
async function phaseOf(schedule) {
  const answer = await fetch(`${settings.BASE_URL}/v1/schedules/${schedule}`);
  return /** @type {{ phase: string }} */ (await answer.json()).phase;
}

it('runs with the secret, and lets its users sign up', async () => {
  const { code, output, report } = await runK6('once', { ...settings, ONSALE_JWT_SECRET: SECRET });
  assert.equal(code, 0, output);
  assert.equal(report?.counts.seats_sold, 1);
  assert.doesNotMatch(output + JSON.stringify(report), new RegExp(SECRET));
});

it('runs with an administrator’s token alone', async () => {
  const { code, output, report } = await runK6('rush', { ...settings, ...SMALL, ADMIN_TOKEN: admin });
  assert.equal(code, 0, output);
  assert.ok(Number(report?.counts.seats_sold) > 0, output);
});

it('runs with a file of tokens, where sign-up is closed', async () => {
  const written = await runK6('tokens', { ...settings, BUYERS: '21' });
  assert.equal(written.code, 0, written.output);
  const tokens = { ADMIN_TOKEN: admin, TOKENS: join(settings.REPORT_DIR, 'tokens.txt') };
  const few = await runK6('rush', { ...closed, ...SMALL, ...tokens, BUYERS: '50' });
  assert.match(few.output, /has 21 tokens, but 51 buyers may come/);
  const { code, output } = await runK6('rush', { ...closed, ...SMALL, ...tokens });
  assert.equal(code, 0, output);
});

it('runs with users that exist, where sign-up is closed', async () => {
  const refused = await runK6('once', { ...closed, ONSALE_JWT_SECRET: SECRET });
  assert.notEqual(refused.code, 0);
  assert.match(refused.output, /Sign-up is closed/);
  const { code, output } = await runK6('once', { ...closed, ONSALE_JWT_SECRET: SECRET, FIRST_USER: '1' });
  assert.equal(code, 0, output);
});

it('tests a schedule that exists and leaves it open, but closes its own', async () => {
  const own = { ...settings, ONSALE_JWT_SECRET: SECRET };
  const prepared = await runK6('once', { ...own, PHASE: 'prepare' });
  assert.equal(prepared.code, 0, prepared.output);
  const { schedule } = JSON.parse(await readFile(join(settings.REPORT_DIR, 'sale.json'), 'utf8'));
  for (const sold of [1, 2]) {
    const { code, output } = await runK6('once', { ...own, SCHEDULE: String(schedule) });
    assert.equal(code, 0, `run ${sold}: ${output}`);
  }
  assert.equal(await phaseOf(schedule), 'OPEN');

  const { code, output } = await runK6('once', own);
  assert.equal(code, 0, output);
  const answer = await fetch(`${settings.BASE_URL}/v1/concerts?status=AVAILABLE&limit=200`);
  const { items } = /** @type {{ items: { id: number }[] }} */ (await answer.json());
  assert.deepEqual(items.length, 1, 'only the prepared sale, which no run closed, is still listed');
});

it('names a secret that the service does not have', async () => {
  const { code, output } = await runK6('once', { ...settings, ONSALE_JWT_SECRET: 'another-secret-of-more-than-32-bytes' });
  assert.notEqual(code, 0);
  assert.match(output, /does not accept ONSALE_JWT_SECRET/);
});
