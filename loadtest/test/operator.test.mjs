// The manifests of the k6 operator agree with each other, and with the k6 that this project installs.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { ROOT } from './k6.mjs';

const folder = join(ROOT, 'loadtest/operator');
const manifests = await Promise.all((await readdir(folder)).sort().map((name) => readFile(join(folder, name), 'utf8')));
const all = manifests.join('\n');

it('there are as many runners as reports to add', () => {
  const [, , testRun] = manifests;
  assert.equal(/RUNNERS: "(\d+)"/.exec(all)?.[1], /parallelism: (\d+)/.exec(testRun)?.[1]);
});

it('each phase has its manifest', () => {
  const phases = manifests.map((text) => /PHASE, value: (\w+)|PHASE\n\s+value: (\w+)/.exec(text)).map((found) => found?.[1] ?? found?.[2]);
  assert.deepEqual(phases, [undefined, 'prepare', 'crowd', 'books']);
});

it('all run the k6 that scripts/k6.sh installs', async () => {
  const version = /version=([\d.]+)/.exec(await readFile(join(ROOT, 'scripts/k6.sh'), 'utf8'))?.[1];
  const images = [...all.matchAll(/image: (\S+)/g)].map(([, image]) => image);
  assert.equal(images.length, 4);
  assert.deepEqual([...new Set(images)], [`grafana/k6:${version}`]);
});
