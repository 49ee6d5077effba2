// @ts-check
/** The recovery code: with it a buyer who signed up by name comes back to their tickets. */
import { toast } from './announce.js';
import { confirm, tell } from './dialog.js';
import { el } from './dom.js';
import { claimsOf } from './jwt.js';
import { current, onsale } from './session.js';
import { local } from './store.js';
import { errorText, t, time } from './text.js';

/** @param {number} user */
const key = (user) => `onsale.recovery.${user}`;

/** Whether whoever is signed in can have a code: those who signed up here can. */
export function canHaveCode() {
  const session = current();
  return Boolean(session && claimsOf(session.token).renew_until);
}

/** Whether they have seen one in this browser. */
export const hasSeenCode = () => Boolean(local.get(key(current()?.id ?? 0)));

/** A text and a button that copies it. @param {string} text @param {string} label */
export function copyRow(text, label) {
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

/** Makes a code and shows it; a code that there is already is replaced after a question only. @returns {Promise<boolean>} whether one was shown */
export async function showCode() {
  try {
    const { created_at: before } = await onsale.recoveryCodeMade();
    if (before) {
      const body = t('common.recovery.replace.text', { time: time(before) });
      const sure = await confirm({ title: t('common.recovery.replace'), body, yes: t('common.recovery.replace.yes') });
      if (!sure) return false;
    }
    const { code } = await onsale.makeRecoveryCode();
    const session = current();
    if (session) local.set(key(session.id), true);
    await tell({
      title: t('common.recovery.title'),
      // As text too: the field is too narrow for it on a phone.
      body: [t('common.recovery.text'), el('p', null, el('code', { dir: 'ltr' }, code)), copyRow(code, t('common.recover.code')), t('common.recovery.once')],
    });
    return true;
  } catch (error) {
    toast(errorText(error), { error: true });
    return false;
  }
}
