// @ts-check
/** The data that the server put into this page: name, language, texts, and what the route adds. */

/** @import * as Api from '../onsale/types.d.ts' */

/**
 * @typedef {object} PageData
 * @property {string} name the page's name
 * @property {'en' | 'ko'} lang the language it is written in
 * @property {string} build the build that its files belong to
 * @property {boolean} signup whether sign-up with a name is open
 * @property {boolean} sign_in whether buyers sign in on another site
 * @property {string} server_time when the server rendered the page, RFC 3339
 * @property {Record<string, string>} texts its texts, by key
 */

/**
 * What the routes add. A page has only the members of its own route.
 * @typedef {object} RouteData
 * @property {string} hold_id the checkout's hold
 * @property {number} schedule_id of the waiting page and the seat map
 * @property {Api.Schedule} schedule of the seat map, and of the waiting page, where it is null if
 *   the service could not load it
 * @property {string} title the concert's, on the waiting page
 * @property {boolean} drawn whether the order of this line is drawn
 * @property {number} layout_version of the seat map
 * @property {Offer} offer what the home page and a concert's page list
 */

/** @typedef {Api.Concert} Concert */
/** @typedef {Api.Schedule} Schedule */
/** @typedef {{ sections: OfferSection[], as_of: string }} Offer */
/**
 * @typedef {{ kind: 'open' | 'upcoming' | 'announced' | 'dates' | 'past', shows: { concert: Concert, schedules: Schedule[] }[], dates: number, cursor: string | null }} OfferSection
 */

/** @type {PageData & RouteData} */
export const page = JSON.parse(document.getElementById('page')?.textContent || '{"texts":{}}');
