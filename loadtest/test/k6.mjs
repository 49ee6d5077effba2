// Runs k6 and the example shop for the tests of the load-test kit.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const ROOT = new URL('../..', import.meta.url).pathname;
const KEY = 'key-of-the-tests';

/** @typedef {import('../lib/types.d.ts').Report} Report */
/** @typedef {Record<string, string>} Settings */

/**
 * Starts the example shop with these faults, and stops it after `use`.
 * @template Result
 * @param {string} faults @param {(shop: { settings: Settings }) => Promise<Result>} use @returns {Promise<Result>}
 */
export async function withShop(faults, use) {
  const env = { ...process.env, SHOP_KEY: KEY, PORT: '0', FAULT: faults };
  const server = spawn(process.execPath, [join(ROOT, 'loadtest/examples/shop/server.mjs')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const folder = await mkdtemp(join(tmpdir(), 'loadtest-'));
  try {
    const address = await new Promise((resolve, reject) => {
      server.stdout.on('data', (text) => resolve(/http:\S+\d/.exec(String(text))?.[0]));
      server.on('exit', (code) => reject(new Error(`the example shop ended with ${code}`)));
    });
    return await use({ settings: { SHOP: 'example', SHOP_KEY: KEY, BASE_URL: address, REPORT_DIR: folder } });
  } finally {
    server.kill();
    await rm(folder, { recursive: true });
  }
}

/**
 * Runs a scenario. Returns k6's exit code, its output, and the report, if there is one.
 * @param {string} scenario @param {Settings} settings @param {string[]} [flags]
 * @returns {Promise<{ code: number | null, output: string, report: Report | null }>}
 */
export async function runK6(scenario, settings, flags = []) {
  const script = join(ROOT, `loadtest/${scenario}.js`);
  const env = { ...process.env, K6_NO_USAGE_REPORT: 'true', ...settings };
  const k6 = spawn(process.env.K6 ?? 'k6', ['run', '--quiet', ...flags, script], { env, stdio: ['ignore', 'pipe', 'pipe'], cwd: ROOT });
  let output = '';
  for (const stream of [k6.stdout, k6.stderr]) stream.on('data', (text) => (output += text));
  const code = await new Promise((resolve, reject) => k6.on('close', resolve).on('error', reject));
  const path = /report: \S+, (\S+\.json)/.exec(output)?.[1];
  // k6's log escapes quotes.
  output = output.replaceAll('\\"', '"');
  return { code, output, report: path ? JSON.parse(await readFile(path, 'utf8')) : null };
}

/** The limits that a run broke. @param {Report | null} report */
export const broken = (report) => [...new Set(report?.thresholds.filter(({ ok }) => !ok).map(({ metric }) => metric))];
