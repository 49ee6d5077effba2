// @ts-check
/** Signing in: a token that `onsale token --admin` prints, or that an identity provider gives. */
import { el, fill, say, show } from '../lib/dom.js';
import { tab } from '../lib/store.js';
import { errorText, t } from '../lib/text.js';
import { isOperator } from './service.js';

/**
 * Asks for a token, until there is one that is good.
 * @param {HTMLElement} place
 * @param {string} why
 * @param {() => void} done
 */
export function signInPart(place, why, done) {
  const problem = el('p', { class: 'strip strip-bad', role: 'alert', hidden: why === '' }, why);
  const token = el('textarea', {
    id: 'token', rows: 4, required: true, spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off', 'aria-describedby': 'token-hint',
  });
  const button = el('button', { type: 'submit', class: 'button' }, t('admin.signin.yes'));
  const refuse = (/** @type {string} */ text) => {
    say(problem, text);
    show(problem, true);
    token.focus();
  };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const given = token.value.trim();
    if (given === '') return refuse(t('admin.signin.missing'));
    button.disabled = true;
    try {
      await isOperator(given);
      tab.set('onsale.admin', { token: given });
      done();
    } catch (error) {
      const known = { 401: 'admin.signin.invalid', 403: 'admin.signin.forbidden' }[/** @type {any} */ (error).status];
      refuse(known ? t(known) : errorText(error));
    } finally {
      button.disabled = false;
    }
  };
  fill(
    place,
    el(
      'form',
      { class: 'card signin', on: { submit } },
      el('h1', null, t('admin.title')),
      el('p', { class: 'muted' }, t('admin.signin.lead')),
      problem,
      el('label', { class: 'field', for: 'token' }, t('admin.signin.token')),
      token,
      el('p', { class: 'hint', id: 'token-hint' }, t('admin.signin.hint')),
      el('code', { class: 'command' }, 'onsale token --admin --user 1'),
      button,
    ),
  );
  document.title = `${t('admin.title')} · onsale`;
  token.focus();
}
