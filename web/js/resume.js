// @ts-check
/** Going on with this device in a place that was taken on another one. */
import { $, say, show } from './lib/dom.js';
import './lib/frame.js';
import { current, onsale, signIn, signOut } from './lib/session.js';
import { errorText, t } from './lib/text.js';
import { keepTicket } from './lib/ticket.js';

const code = location.hash.slice(1);
// The code is good once, and is nobody else's to see: it is in no history either.
history.replaceState(null, '', location.pathname);

const go = /** @type {HTMLButtonElement} */ ($('#go'));

/** @param {string} text */
function failed(text) {
  say($('#problem'), text);
  show($('#problem'), true);
  show($('#home'), true);
}

async function takeOver() {
  go.disabled = true;
  show($('#problem'), false);
  try {
    const taken = await onsale.takeOver(code);
    if (taken.access_token) signIn({ ...taken.user, token: taken.access_token, expires_at: taken.expires_at });
    else if (current() && current()?.id !== taken.user.id) signOut();
    keepTicket(taken.schedule_id, taken.queue_token);
    location.replace(`/schedules/${taken.schedule_id}/wait`);
  } catch (error) {
    failed(errorText(error));
    // Where it is not known what became of it, another try tells.
    show(go, error.passing === true);
    go.disabled = false;
  }
}

if (code === '') failed(t('common.error.handoff_invalid'));
else {
  show(go, true);
  go.focus();
  const here = current();
  if (here) {
    say($('#other'), t('resume.other', { name: here.name }));
    show($('#other'), true);
  }
}
go.addEventListener('click', takeOver);
