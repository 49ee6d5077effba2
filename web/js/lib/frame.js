// @ts-check
/** What every page does: local times, the signed-in user, the session, and the offline notice. */
import { $, $$, setText, setAttribute, setVisible } from './dom.js';
import { page } from './page.js';
import {
  currentSession,
  ensureSignedIn,
  formerUser,
  sessionTimeLeft,
  onSessionChange,
  onsale,
  renewSession,
  isRenewable,
  signInAgain,
  takeTokenFromAddress,
} from './session.js';
import { canStore } from './store.js';
import { t, time } from './text.js';

/** Rewrites the server's times in the reader's time zone. @param {ParentNode} [within] */
export function showLocalTimes(within = document) {
  for (const element of /** @type {HTMLTimeElement[]} */ ($$('time[datetime]', within))) {
    setText(element, time(element.dateTime, /** @type {import('./text.js').TimeForm | undefined} */ (element.dataset.form)));
  }
}

/** Whether this is a buyer's page. The console uses a token of its own. */
const isBuyerPage = !document.body.classList.contains('page-admin');

function showUser() {
  const session = currentSession();
  const link = $('#who');
  if (session) setText(link, session.name);
  setVisible(link, session !== null);
  setVisible($('#signin'), session === null && (page.signup || page.sign_in));
  if (isBuyerPage) showSessionNotice();
}

/** How long before its end an ending session is announced, in ms. */
const ENDING_SOON_MS = 15 * 60_000;
/** How long the service accepts a token after its expiry, in ms, since clocks differ. */
const EXPIRY_LEEWAY_MS = 30_000;

/** Shows that the session ends soon or has ended, and offers to sign in again. */
function showSessionNotice() {
  const [rest, before] = [sessionTimeLeft(), formerUser()];
  const ending = rest !== null && rest < ENDING_SOON_MS && !isRenewable();
  const text = before
    ? t('common.session.ended', { name: before.name })
    : ending
      ? t('common.session.ending', { time: time(currentSession()?.expires_at ?? 0, 'clock') })
      : '';
  setText($('#session-text'), text);
  setVisible($('#session'), text !== '');
}

/** Renews the session while the page is open. */
function keepSessionAlive() {
  const rest = sessionTimeLeft();
  // Only the service decides whether it has expired. Its 401 ends the session here too.
  if (rest !== null && rest < -EXPIRY_LEEWAY_MS) onsale.me().catch(() => {});
  renewSession().catch(() => {});
  showSessionNotice();
}

// A language chosen by `?lang=` is stored in a cookie by now, so the address does not need it.
if (location.search.includes('lang=')) {
  const query = new URLSearchParams(location.search);
  query.delete('lang');
  const rest = query.toString() === '' ? '' : `?${query}`;
  history.replaceState(history.state, '', location.pathname + rest + location.hash);
}

// A part that scrolls must be reachable by keyboard; a part that does not should be no tab stop.
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) setAttribute(target, 'tabindex', target.scrollHeight > target.clientHeight + 1 ? 0 : null);
});
for (const part of $$('.scrolls')) sizes.observe(part);

const showOffline = () => setVisible($('#offline'), !navigator.onLine);
window.addEventListener('online', showOffline);
window.addEventListener('offline', showOffline);
showOffline();

// Shown on every page before joining: without storage, the next page would lose the ticket.
setVisible($('#unkept'), !canStore);

showLocalTimes();
showUser();
onSessionChange(showUser);
$('#signin').addEventListener('click', () => ensureSignedIn());
$('#session-go').addEventListener('click', () => signInAgain());
if (isBuyerPage) {
  takeTokenFromAddress().catch(() => {});
  keepSessionAlive();
  setInterval(keepSessionAlive, 30_000);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && keepSessionAlive());
}
