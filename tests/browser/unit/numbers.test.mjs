// Number formats, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const texts = { 'common.points.one': '{n} point', 'common.points.other': '{n} points' };
const document = { getElementById: () => ({ textContent: JSON.stringify({ lang: 'en', texts }) }) };
Object.assign(globalThis, { document });
const { decimal, money, number, points } = await import('../../../web/js/lib/text.js');

test('zero has no sign, even if sums or rounding give -0', () => {
  assert.deepEqual([number(-0), money(-0), points(-0)], ['0', '₩0', '0 points']);
  assert.deepEqual([decimal(-0), decimal(-0.04)], ['0', '0']);
});

test('other numbers keep their sign and have thousands separators', () => {
  assert.deepEqual([number(1_234_567), number(-1200), points(1)], ['1,234,567', '-1,200', '1 point']);
  assert.deepEqual([decimal(-0.06), decimal(1234.56)], ['-0.1', '1,234.6']);
});
