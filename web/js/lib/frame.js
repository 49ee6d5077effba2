// @ts-check
/** What every page does: times in the reader's zone, who is signed in, whether there is a network. */
import { $, $$, say, set, show } from './dom.js';
import { page } from './page.js';
import { current, ensure, former, left, onSession, onsale, renew, renewable, signInAgain, takeToken } from './session.js';
import { keeps } from './store.js';
import { t, time } from './text.js';

/** Tells the times that the server wrote in the reader's zone. @param {ParentNode} [within] */
export function localTimes(within = document) {
  for (const element of /** @type {HTMLTimeElement[]} */ ($$('time[datetime]', within))) {
    const form = /** @type {any} */ (element.dataset.form ?? 'full');
    say(element, time(element.dateTime, form));
  }
}

/** Whether it is a page of buyers: the console has its own token. */
const buyers = !document.body.classList.contains('page-admin');

function who() {
  const session = current();
  const link = $('#who');
  if (session) say(link, session.name);
  show(link, session !== null);
  show($('#signin'), session === null && (page.signup || page.sign_in));
  if (buyers) told();
}

/** A session that ends is said before it does, in ms. */
const ENDING = 15 * 60_000;
/** Tokens are accepted for so long after their end, in ms: clocks differ. */
const LEEWAY = 30_000;

/** Says that the session ends soon, or has ended, and offers to sign in again. */
function told() {
  const [rest, before] = [left(), former()];
  const ending = rest !== null && rest < ENDING && !renewable();
  const text = before ? t('common.session.ended', { name: before.name }) : ending ? t('common.session.ending', { time: time(current()?.expires_at ?? 0, 'clock') }) : '';
  say($('#session-text'), text);
  show($('#session'), text !== '');
}

/** Keeps the session going while the page is open. */
function keepSession() {
  const rest = left();
  // Whether it has ended is for the service to say, which ends it here too.
  if (rest !== null && rest < -LEEWAY) onsale.me().catch(() => {});
  renew().catch(() => {});
  told();
}

// Where the language was chosen by a link, the choice is in a cookie now.
if (location.search.includes('lang=')) {
  const query = new URLSearchParams(location.search);
  query.delete('lang');
  const rest = query.toString() === '' ? '' : `?${query}`;
  history.replaceState(history.state, '', location.pathname + rest + location.hash);
}

// What can be scrolled can be reached by keys; what can't is no stop on the way.
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) set(target, 'tabindex', target.scrollHeight > target.clientHeight + 1 ? 0 : null);
});
for (const part of $$('.scrolls')) sizes.observe(part);

const offline = () => show($('#offline'), !navigator.onLine);
window.addEventListener('online', offline);
window.addEventListener('offline', offline);
offline();

// Said on every page, before anybody joins: a place that is not kept is lost on the next page.
show($('#unkept'), !keeps);

localTimes();
who();
onSession(who);
$('#signin').addEventListener('click', () => ensure());
$('#session-go').addEventListener('click', () => signInAgain());
if (buyers) {
  takeToken().catch(() => {});
  keepSession();
  setInterval(keepSession, 30_000);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && keepSession());
}
