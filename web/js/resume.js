// @ts-check
/** `/continue`: takes over a place in line from another device. */
import { OnsaleError } from './onsale.js';
import { $, setText, setVisible } from './lib/dom.js';
import './lib/frame.js';
import { currentSession, onsale, signIn, signOut } from './lib/session.js';
import { errorText, t } from './lib/text.js';
import { saveTicket } from './lib/ticket.js';

const code = location.hash.slice(1);
// The code works once and is secret, so it is removed from the address and the history.
history.replaceState(null, '', location.pathname);

const go = /** @type {HTMLButtonElement} */ ($('#go'));

/** @param {string} text */
function showFailure(text) {
  setText($('#problem'), text);
  setVisible($('#problem'), true);
  setVisible($('#home'), true);
}

async function takeOver() {
  go.disabled = true;
  setVisible($('#problem'), false);
  try {
    const taken = await onsale.takeOver(code);
    if (taken.access_token) signIn({ ...taken.user, token: taken.access_token, expires_at: taken.expires_at });
    else if (currentSession() && currentSession()?.id !== taken.user.id) signOut();
    saveTicket(taken.schedule_id, taken.queue_token);
    location.replace(`/schedules/${taken.schedule_id}/wait`);
  } catch (error) {
    showFailure(errorText(error));
    // After a lost answer, another try shows the result.
    setVisible(go, OnsaleError.from(error).passing);
    go.disabled = false;
  }
}

if (code === '') showFailure(t('common.error.handoff_invalid'));
else {
  setVisible(go, true);
  go.focus();
  const here = currentSession();
  if (here) {
    setText($('#other'), t('resume.other', { name: here.name }));
    setVisible($('#other'), true);
  }
}
go.addEventListener('click', takeOver);
