// @ts-check
/** What every page does: times in the reader's zone, who is signed in, whether there is a network. */
import { $, $$, say, set, show } from './dom.js';
import { page } from './page.js';
import { keeps } from './store.js';
import { current, ensure, onSession, takeToken } from './session.js';
import { time } from './text.js';

/** Tells the times that the server wrote in the reader's zone. @param {ParentNode} [within] */
export function localTimes(within = document) {
  for (const element of /** @type {HTMLTimeElement[]} */ ($$('time[datetime]', within))) {
    const form = /** @type {any} */ (element.dataset.form ?? 'full');
    say(element, time(element.dateTime, form));
  }
}

function who() {
  const session = current();
  const link = $('#who');
  if (session) say(link, session.name);
  show(link, session !== null);
  show($('#signin'), session === null && page.signup);
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
if (!document.body.classList.contains('page-admin')) takeToken().catch(() => {});
