/** Lists of seat numbers, as people write them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_NUMBERS, readNumbers } from '../../../web/js/admin/seat-numbers.js';

test('numbers and ranges are read, each once', () => {
  assert.deepEqual(readNumbers('12, 14-16'), [12, 14, 15, 16]);
  assert.deepEqual(readNumbers(' 7 7\n8–9,'), [7, 8, 9]);
  assert.equal(readNumbers(`1-${MAX_NUMBERS}`)?.length, MAX_NUMBERS);
});

test('any other text, an empty list, and too many numbers are refused', () => {
  for (const text of ['', ' , ', 'x', '12, x', '9-7', '1-2-3', '-3', '1.5', '1234567', `1-${MAX_NUMBERS + 1}`, '1-60 61-101']) {
    assert.equal(readNumbers(text), null, text);
  }
});
