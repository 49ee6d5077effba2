// @ts-check
/** Reads paginated lists. */

/** Items per page, and the maximum number of pages. */
const PAGE_SIZE = 200;
const MAX_PAGES = 5;

/**
 * Fetches the items of a list, page by page, up to `MAX_PAGES`.
 * @param {(page: {limit: number, cursor: string | null}) => Promise<import('../onsale.js').List>} ask
 * @param {(items: any[]) => boolean} [enough] whether the items suffice
 * @returns {Promise<any[]>}
 */
export async function fetchAll(ask, enough = () => false) {
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
