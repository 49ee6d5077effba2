// @ts-check
/** Reads lists of seat numbers, as people write them. */

/** Most seats of one gift. */
export const MAX_NUMBERS = 100;

/** Reads seat numbers such as `12, 14-16`; null if the text has anything else. @param {string} text */
export function readNumbers(text) {
  /** @type {Set<number>} */
  const found = new Set();
  for (const part of text.split(/[\s,]+/).filter(Boolean)) {
    const match = /^(\d{1,6})(?:[-–](\d{1,6}))?$/.exec(part);
    if (!match) return null;
    const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (to < from || to - from > MAX_NUMBERS) return null;
    for (let number = from; number <= to; number += 1) found.add(number);
  }
  return found.size > 0 && found.size <= MAX_NUMBERS ? [...found] : null;
}
