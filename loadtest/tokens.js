// Signs up BUYERS users at onsale, and writes their access tokens to REPORT_DIR, one per line.

import { signUp } from './adapters/onsale/users.js';
import { DIRECTORY } from './lib/phases.js';

const buyers = Number(__ENV.BUYERS);
if (!Number.isInteger(buyers) || buyers < 1) throw new Error('Set BUYERS to the number of users.');

export const options = { vus: 1, iterations: 1, setupTimeout: '30m' };

export function setup() {
  return signUp(buyers, Date.now().toString(36)).map(({ access_token: token }) => token);
}

// k6 needs a function to run.
export default function () {}

/** @param {{ setup_data?: string[] }} data @returns {Record<string, string>} */
export function handleSummary({ setup_data: tokens }) {
  if (!tokens) return { stderr: 'No tokens were written: see the error above.\n' };
  const path = `${DIRECTORY}/tokens.txt`;
  return { stdout: `wrote ${tokens.length} tokens: ${path}\n`, [path]: `${tokens.join('\n')}\n` };
}
