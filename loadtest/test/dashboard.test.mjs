// Each metric of the dashboard exists: k6 has it, or lib/invariants/metrics.js defines it with that type.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { ROOT } from './k6.mjs';

// k6's own metrics, by the names that its remote write output gives them.
const OF_K6 = ['http_reqs_total', 'http_req_duration_p99', 'vus', 'dropped_iterations_total'];
// The statistics of a Trend that docs/LOADTEST.md asks k6 to write.
const STATISTICS = ['med', 'p95', 'p99', 'max'];

it('the dashboard shows metrics that exist', async () => {
  const source = await readFile(join(ROOT, 'loadtest/lib/invariants/metrics.js'), 'utf8');
  const defined = [...source.matchAll(/new (\w+)\('(\w+)'/g)].flatMap(([, type, name]) => {
    if (type === 'Counter') return [`${name}_total`];
    return type === 'Trend' ? STATISTICS.map((statistic) => `${name}_${statistic}`) : [name];
  });
  const text = await readFile(join(ROOT, 'deploy/grafana/loadtest.json'), 'utf8');
  const shown = [...new Set([...text.matchAll(/\bk6_(\w+)/g)].map(([, name]) => name))];
  assert.ok(shown.length > 25, 'the dashboard has queries');
  assert.deepEqual(
    shown.filter((name) => !defined.includes(name) && !OF_K6.includes(name)),
    [],
  );
  const { panels } = JSON.parse(text);
  const ids = panels.map((/** @type {{ id: number }} */ { id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

it('the dashboard shows every fault', async () => {
  const source = await readFile(join(ROOT, 'loadtest/lib/invariants/metrics.js'), 'utf8');
  const faults = /export const FAULTS = \[([^\]]*)\]/.exec(source)?.[1].match(/\w+/g) ?? [];
  const names = faults.map((fault) => new RegExp(`${fault} = new Counter\\('(\\w+)'`).exec(source)?.[1]);
  assert.ok(names.length > 8, 'the faults were found');
  const text = await readFile(join(ROOT, 'deploy/grafana/loadtest.json'), 'utf8');
  // Counted only when the reports of runners are added, and then it is in the report.
  const missing = names.filter((name) => name !== 'buyers_dropped' && !text.includes(`k6_${name}_total`));
  assert.deepEqual(missing, []);
});
