// @ts-check
/** Recovery codes: a buyer who signed up with a name can sign in again with one. */
import { toast } from './announce.js';
import { confirm, showInfo } from './dialog.js';
import { el } from './dom.js';
import { readClaims } from './jwt.js';
import { currentSession, onsale } from './session.js';
import { localStore } from './store.js';
import { errorText, t, time } from './text.js';

/** @param {number} user */
const key = (user) => `onsale.recovery.${user}`;

/** Whether the signed-in user can have a code: only users who signed up on this site can. */
export function canHaveRecoveryCode() {
  const session = currentSession();
  return Boolean(session && readClaims(session.token).renew_until);
}

/** Whether this browser has shown them one. */
export const hasSeenRecoveryCode = () => Boolean(localStore.get(key(currentSession()?.id ?? 0)));

/** A read-only field with a button that copies its text. @param {string} text @param {string} label */
export function copyRow(text, label) {
  /** @type {HTMLInputElement} */
  const field = el('input', { readonly: true, value: text, 'aria-label': label, on: { focus: () => field.select() } });
  const copy = el('button', { class: 'button quiet', type: 'button' }, t('common.copy'));
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      field.select();
      document.execCommand('copy');
    }
    toast(t('common.copied'));
  });
  return el('div', { class: 'copy-row' }, field, copy);
}

/** Creates a code and shows it. Asks first if it would replace an existing one. @returns {Promise<boolean>} whether a code was shown */
export async function showRecoveryCode() {
  try {
    const { created_at: before } = await onsale.recoveryCodeMade();
    if (before) {
      const body = t('common.recovery.replace.text', { time: time(before) });
      const sure = await confirm({ title: t('common.recovery.replace'), body, yes: t('common.recovery.replace.yes') });
      if (!sure) return false;
    }
    const { code } = await onsale.makeRecoveryCode();
    const session = currentSession();
    if (session) localStore.set(key(session.id), true);
    await showInfo({
      title: t('common.recovery.title'),
      // Also as text, since the field is too narrow for it on a phone.
      body: [
        t('common.recovery.text'),
        el('p', null, el('code', { dir: 'ltr' }, code)),
        copyRow(code, t('common.recover.code')),
        t('common.recovery.once'),
      ],
    });
    return true;
  } catch (error) {
    toast(errorText(error), { error: true });
    return false;
  }
}
