// What docs/PAGES.md says about the files of the pages.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../../', import.meta.url);
const text = readFileSync(new URL('docs/PAGES.md', root), 'utf8');

test('the table of tests in docs/PAGES.md has exactly the test files', () => {
  const [, table = ''] = text.split('\n## Tests\n');
  const listed = [...table.matchAll(/^\| `([a-z.-]+)` \|/gm)].map(([, name]) => name);
  const files = readdirSync(new URL('tests/browser/', root)).flatMap((name) => /^(.+)\.test\.mjs$/.exec(name)?.[1] ?? []);
  assert.deepEqual(listed.sort(), files.sort());
});
