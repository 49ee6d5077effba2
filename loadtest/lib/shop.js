// The shop under test. To test another shop, write an adapter and add it to the list.

import { example } from '../adapters/example.js';
import { onsale } from '../adapters/onsale/shop.js';

/** @type {Record<string, import('./types.d.ts').Shop>} */
const SHOPS = { onsale, example };

const name = __ENV.SHOP || 'onsale';
if (!SHOPS[name]) throw new Error(`SHOP is "${name}": there is an adapter for ${Object.keys(SHOPS).join(', ')}`);

/** The shop that the setting SHOP names. */
export const shop = SHOPS[name];
