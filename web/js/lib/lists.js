// @ts-check
/** Reads paginated lists, and groups items. */

/** Items per page, and the maximum number of pages. */
const PAGE_SIZE = 200;
const MAX_PAGES = 5;

/**
 * Fetches the items of a list, page by page, up to `MAX_PAGES`.
 * @template Item
 * @param {(page: {limit: number, cursor: string | null}) => Promise<import('../onsale/types.d.ts').List<Item>>} ask
 * @param {(items: Item[]) => boolean} [enough] whether the items suffice
 * @returns {Promise<Item[]>}
 */
export async function fetchAll(ask, enough = () => false) {
  /** @type {Item[]} */
  const found = [];
  /** @type {string | null} */
  let cursor = null;
  for (let page = 0; page < MAX_PAGES && !enough(found); page++) {
    const { items, next_cursor } = await ask({ limit: PAGE_SIZE, cursor });
    found.push(...items);
    if (!next_cursor) break;
    cursor = next_cursor;
  }
  return found;
}

/**
 * Groups items by a key, in order of first appearance.
 * @template Item, Key
 * @param {Item[]} all
 * @param {(one: Item) => Key} keyOf
 * @returns {Map<Key, Item[]>}
 */
export function groupBy(all, keyOf) {
  /** @type {Map<Key, Item[]>} */
  const groups = new Map();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group) group.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return groups;
}
