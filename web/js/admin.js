// @ts-check
/** The operator's console: who may see it, which part is shown, and the way between them. */
import { $, $$, el, fill, show } from './lib/dom.js';
import './lib/frame.js';
import { adminToken, forgetAdmin, takeToken } from './lib/session.js';
import { t } from './lib/text.js';
import { signInPart } from './admin/signin.js';
import { auditPart } from './admin/audit.js';
import { concertPart } from './admin/concert.js';
import { healthPart } from './admin/health.js';
import { overviewPart } from './admin/overview.js';
import { failure } from './admin/parts.js';
import { schedulePart } from './admin/schedule.js';
import { newSchedulePart } from './admin/schedule-new.js';
import { onRefused } from './admin/service.js';

/** Ends what a part has begun. @typedef {() => void} End */
/** Shows a part in a place. @typedef {(place: HTMLElement, ids: number[], rest: string) => Promise<End | void> | End | void} Part */

/** The parts by their addresses; a number stands for an id. @type {[RegExp, Part][]} */
const PARTS = [
  [/^\/$/, overviewPart],
  [/^\/concerts\/new$/, concertPart],
  [/^\/concerts\/(\d+)$/, concertPart],
  [/^\/concerts\/(\d+)\/schedules\/new$/, newSchedulePart],
  [/^\/schedules\/(\d+)(?:\/(settings|venue|seats|report|audit))?$/, schedulePart],
  [/^\/audit$/, auditPart],
  [/^\/health$/, healthPart],
];

/** @type {End | void} */
let end;
/** Rises with each part that is shown: one that is slow to load does not overwrite a later one. */
let turn = 0;

/** The address of now: `/schedules/7/report`. */
const address = () => (location.hash.startsWith('#/') ? location.hash.slice(1) : '/');

function nav() {
  const here = address();
  const link = (/** @type {string} */ to, /** @type {string} */ key, /** @type {boolean} */ current) =>
    el('a', { href: `#${to}`, 'aria-current': current ? 'page' : null }, t(key));
  const leave = el('button', { type: 'button', class: 'button quiet small', on: { click: signOut } }, t('admin.signout'));
  const sale = here === '/' || here.startsWith('/concerts') || here.startsWith('/schedules');
  fill(
    $('#console-nav'),
    link('/', 'admin.nav.sales', sale),
    link('/audit', 'admin.nav.audit', here === '/audit'),
    link('/health', 'admin.nav.health', here === '/health'),
    leave,
  );
  show($('#console-nav'), true);
  // The other language opens the same part.
  for (const other of /** @type {HTMLAnchorElement[]} */ ($$('a.switch'))) other.hash = location.hash;
}

function signOut() {
  forgetAdmin();
  signIn('');
}

/** @param {string} why what the reader is told, where there is a reason */
function signIn(why) {
  turn += 1;
  end?.();
  end = undefined;
  show($('#console-nav'), false);
  signInPart($('#console-part'), why, () => route());
}

/** Shows the part that the address names. @returns {Promise<void>} */
async function route() {
  if (adminToken() === null) return signIn('');
  turn += 1;
  const mine = turn;
  end?.();
  end = undefined;
  nav();
  delete $('#console').dataset.part;
  const here = address();
  const found = PARTS.map(([pattern, part]) => ({ part, match: pattern.exec(here) })).find(({ match }) => match);
  const place = el('div', { class: 'part' });
  fill($('#console-part'), place);
  if (!found?.match) {
    fill(place, el('h1', null, t('admin.nowhere')), el('p', null, el('a', { href: '#/' }, t('admin.back.sales'))));
    return settle(place, here);
  }
  fill(place, el('p', { class: 'muted', role: 'status' }, t('admin.loading')));
  const [, first, rest = ''] = found.match;
  try {
    const ended = await found.part(place, first ? [Number(first)] : [], rest);
    if (mine === turn) end = ended;
    else ended?.();
  } catch (error) {
    if (mine === turn) fill(place, failure(error, route));
  }
  if (mine === turn) settle(place, here);
}

/** Says where the reader is: the title, and where listening goes on from. @param {HTMLElement} place @param {string} here */
function settle(place, here) {
  $('#console').dataset.part = here;
  const heading = place.querySelector('h1');
  if (!heading) return;
  document.title = `${heading.textContent} · ${t('admin.title')} · onsale`;
  heading.tabIndex = -1;
  // A part that was followed to, not the first one: there the page itself begins.
  if (turn > 1) heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

onRefused((status) => {
  if (status === 401) forgetAdmin();
  signIn(status === 403 ? t('admin.signin.forbidden') : t('admin.signin.expired'));
});
window.addEventListener('hashchange', async () => {
  await takeToken({ admin: true });
  route();
});
await takeToken({ admin: true });
route();
