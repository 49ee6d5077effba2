// The scripts use nothing that k6 2 removed. tsconfig.k6-2.json checks the rest against the types of k6 2.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { ROOT } from './k6.mjs';

// Modules that are neither experimental nor of an extension, in k6 1.1 and in k6 2.
const MODULES = ['k6', 'k6/crypto', 'k6/data', 'k6/encoding', 'k6/execution', 'k6/http', 'k6/metrics', 'k6/options'];
const REMOVED = ['externally-controlled', 'loadimpact', '--no-summary', '--summary-mode=legacy', '--upload-only', 'K6_BINARY_PROVISIONING'];

it('the scripts use no module and no option that k6 2 removed', async () => {
  const folder = join(ROOT, 'loadtest');
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.(js|sh|yaml)$/.test(name));
  assert.ok(names.length > 20, 'the scripts were found');
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8');
    const modules = [...text.matchAll(/'(k6(?:\/[\w/]+)?)'/g)].map(([, module]) => module);
    assert.deepEqual(
      modules.filter((module) => !MODULES.includes(module)),
      [],
      name,
    );
    assert.deepEqual(
      REMOVED.filter((word) => text.includes(word)),
      [],
      name,
    );
  }
});
