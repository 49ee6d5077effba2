// @ts-check
/** Signing in with a token from `onsale token --role` or from an identity provider. */
import { OnsaleError } from '../onsale.js';
import { el, setChildren, setText, setVisible } from '../lib/dom.js';
import { tabStore } from '../lib/store.js';
import { errorText, t } from '../lib/text.js';
import { checkOperator } from './api.js';

/**
 * Asks for a token until it is an operator's.
 * @param {HTMLElement} place
 * @param {string} why
 * @param {() => void} done
 */
export function signInPart(place, why, done) {
  const problem = el('p', { class: 'strip strip-bad', role: 'alert', hidden: why === '' }, why);
  const token = el('textarea', {
    id: 'token',
    rows: 4,
    required: true,
    spellcheck: 'false',
    autocomplete: 'off',
    autocapitalize: 'off',
    'aria-describedby': 'token-hint',
  });
  const button = el('button', { type: 'submit', class: 'button' }, t('admin.signin.yes'));
  const refuse = (/** @type {string} */ text) => {
    setText(problem, text);
    setVisible(problem, true);
    token.focus();
  };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const given = token.value.trim();
    if (given === '') return refuse(t('admin.signin.missing'));
    button.disabled = true;
    try {
      await checkOperator(given);
      tabStore.set('onsale.admin', { token: given });
      done();
    } catch (error) {
      /** @type {Record<number, string>} */
      const keys = { 401: 'admin.signin.invalid', 403: 'admin.signin.forbidden' };
      const key = keys[OnsaleError.from(error).status];
      refuse(key ? t(key) : errorText(error));
    } finally {
      button.disabled = false;
    }
  };
  setChildren(
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
