// @ts-check
/** Compares two operators' changes of one state. Uses no document. */

/** @typedef {Record<string, any>} State */

/** @param {unknown} one @param {unknown} other */
const isSame = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

/**
 * The fields that another change has changed, and those among them that this change would overwrite.
 * @param {{ before: State, mine: State | null, names: string[] }} edit @param {State} current
 */
export function compareStates({ before, mine, names }, current) {
  const changed = names.filter((name) => name in before && !isSame(before[name], current[name]));
  const lost = changed.filter((name) => mine === null || (name in mine && !isSame(mine[name], current[name])));
  return { changed, lost };
}
