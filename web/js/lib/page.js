// @ts-check
/** What the server told this page: its name, its language, its texts, and what the route adds. */

/**
 * @typedef {object} Told
 * @property {string} name the page's name
 * @property {'en' | 'ko'} lang the language it is written in
 * @property {string} build which build its files are of
 * @property {boolean} signup whether anybody may sign up here
 * @property {boolean} sign_in whether there is another page on which buyers sign in
 * @property {string} server_time when it was written, RFC 3339
 * @property {Record<string, string>} texts its texts, by key
 */

/** @type {Told & Record<string, any>} */
export const page = JSON.parse(document.getElementById('page')?.textContent || '{"texts":{}}');
