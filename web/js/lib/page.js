// @ts-check
/** The data that the server put into this page: name, language, texts, and what the route adds. */

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

/** @type {PageData & Record<string, any>} */
export const page = JSON.parse(document.getElementById('page')?.textContent || '{"texts":{}}');
