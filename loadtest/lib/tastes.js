// Which seats buyers want.

import { SECTIONS } from '../adapters/sections.js';
import { chance } from './visit.js';

/** Whether a buyer picks seats from the map, or takes the best available. */
export const picksFromMap = () => chance(0.3);

/**
 * The best available seats, sometimes in one section or up to a price. In somebody's own sale
 * (SCHEDULE), in any section.
 * @param {number} quantity @returns {import('./types.d.ts').AnySeats}
 */
export function anyInSection(quantity) {
  if (__ENV.SCHEDULE) return { quantity };
  if (chance(0.15)) return { quantity, section: SECTIONS[Math.floor(Math.random() * SECTIONS.length)].name };
  return chance(0.1) ? { quantity, maxPrice: SECTIONS[1].price } : { quantity };
}
