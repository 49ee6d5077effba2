// Which buyers are hostile. The settings HOSTILE (a share) and HOSTILE_KINDS say it.

/** The kinds of hostile buyers, and what each does (lib/hostile.js). */
export const HOSTILE_KINDS = /** @type {const} */ (['hasty', 'rejoiner', 'hoarder', 'forger', 'grabber']);
export const KINDS = ['ordinary', ...HOSTILE_KINDS];

/** Share of hostile buyers, unless the setting HOSTILE says another. Set by the scenario. */
let share = 0;
/** @type {string[]} */
let kinds = [];

/**
 * Sets the share of hostile buyers: HOSTILE, or else `usual`. Returns the settings for the report.
 * @param {number} usual @param {readonly string[]} [possible] the kinds that make sense in the scenario
 */
export function planCrowd(usual, possible = HOSTILE_KINDS) {
  share = Number(__ENV.HOSTILE ?? usual);
  kinds = (__ENV.HOSTILE_KINDS || possible.join(',')).split(',').map((kind) => kind.trim());
  if (!(share >= 0 && share <= 1)) throw new Error(`HOSTILE is "${__ENV.HOSTILE}": it must be a share from 0 to 1`);
  const unknown = kinds.find((kind) => !KINDS.includes(kind));
  if (unknown) throw new Error(`HOSTILE_KINDS has "${unknown}": the kinds are ${HOSTILE_KINDS.join(', ')}`);
  return { hostile: share, hostile_kinds: share > 0 ? kinds.join(', ') : 'none' };
}

/**
 * The kind of the buyer with this number. Hostile buyers are spread evenly, and the kinds take turns, so
 * that runs with the same settings have the same crowd.
 * @param {number} number
 */
export function kindOf(number) {
  const before = Math.floor(number * share);
  const isHostile = Math.floor((number + 1) * share) > before;
  return isHostile ? kinds[before % kinds.length] : 'ordinary';
}
