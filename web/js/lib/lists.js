// @ts-check
/** Lists that come in pages. */

/** Items of a page, and pages at most: a buyer has few. */
const A_PAGE = 200;
const MOST_PAGES = 5;

/**
 * The items of a list, page after page, within reason.
 * @param {(page: {limit: number, cursor: string | null}) => Promise<import('../onsale.js').List>} ask
 * @param {(items: any[]) => boolean} [enough] whether no more are needed
 * @returns {Promise<any[]>}
 */
export async function every(ask, enough = () => false) {
  const found = [];
  /** @type {string | null} */
  let cursor = null;
  for (let page = 0; page < MOST_PAGES && !enough(found); page++) {
    const { items, next_cursor } = await ask({ limit: A_PAGE, cursor });
    found.push(...items);
    if (!next_cursor) break;
    cursor = next_cursor;
  }
  return found;
}
