// @ts-check
/** `/admin`: the operator's console. Handles sign-in, the address and the navigation between its parts. */
import { $, $$, el, setChildren, setVisible } from './lib/dom.js';
import './lib/frame.js';
import { adminToken, dropAdminToken, takeTokenFromAddress } from './lib/session.js';
import { t } from './lib/text.js';
import { signInPart } from './admin/signin.js';
import { auditPart } from './admin/audit.js';
import { boxOfficePart } from './admin/box-office.js';
import { buyerPart } from './admin/box-office-buyer.js';
import { seatPart } from './admin/box-office-seat.js';
import { concertPart } from './admin/concert.js';
import { healthPart } from './admin/health.js';
import { jobsPart } from './admin/jobs.js';
import { overviewPart } from './admin/overview.js';
import { foldingLinks } from './admin/fold.js';
import { failure } from './admin/parts.js';
import { peoplePart } from './admin/people.js';
import { schedulePart } from './admin/schedule.js';
import { newSchedulePart } from './admin/schedule-new.js';
import { onRefused } from './admin/api.js';
import { may } from './admin/role.js';
import { mayLeave } from './admin/unsaved.js';
import { onReload } from './admin/reload.js';

/** Stops what a part has started. @typedef {() => void} End */
/** Shows a part in an element. @typedef {(place: HTMLElement, ids: number[], rest: string) => Promise<End | void> | End | void} Part */

/** The parts by address, each with the least role that it needs; a number is an id. @type {[RegExp, Part, import('./admin/role.js').Role?][]} */
const PARTS = [
  [/^\/$/, overviewPart],
  [/^\/concerts\/new$/, concertPart, 'admin'],
  [/^\/concerts\/(\d+)$/, concertPart],
  [/^\/concerts\/(\d+)\/schedules\/new$/, newSchedulePart, 'admin'],
  [/^\/schedules\/(\d+)(?:\/(settings|venue|seats|readiness|forecast|rehearsal|report|audit|alerts|guests))?$/, schedulePart],
  [/^\/box-office$/, boxOfficePart, 'box_office'],
  [/^\/box-office\/buyers\/(\d+)$/, buyerPart, 'box_office'],
  [/^\/box-office\/seats\/(\d+)$/, seatPart, 'box_office'],
  [/^\/audit$/, auditPart],
  [/^\/health$/, healthPart],
  [/^\/jobs$/, jobsPart],
  [/^\/people(?:\/(\d+))?$/, peoplePart, 'admin'],
];

/** @type {End | void} */
let end;
/** Counts the parts shown, so that a slow part does not overwrite a later one. */
let turn = 0;

/** The current address, such as `/schedules/7/report`. */
const currentAddress = () => (location.hash.startsWith('#/') ? location.hash.slice(1) : '/');

function showNav() {
  const here = currentAddress();
  const link = (/** @type {string} */ to, /** @type {string} */ key, /** @type {boolean} */ current) =>
    el('a', { href: `#${to}`, 'aria-current': current ? 'page' : null }, t(key));
  const leave = el('button', { type: 'button', class: 'button quiet small', on: { click: signOut } }, t('admin.signout'));
  const sale = here === '/' || here.startsWith('/concerts') || here.startsWith('/schedules');
  const links = [
    link('/', 'admin.nav.sales', sale),
    may('box_office') && link('/box-office', 'admin.nav.box', here.startsWith('/box-office')),
    link('/jobs', 'admin.nav.jobs', here === '/jobs'),
    may('admin') && link('/people', 'admin.nav.people', here.startsWith('/people')),
    link('/audit', 'admin.nav.audit', here === '/audit'),
    link('/health', 'admin.nav.health', here === '/health'),
  ];
  const current = links.find((one) => one && one.hasAttribute('aria-current'));
  setChildren($('#console-nav'), ...foldingLinks((current && current.textContent) || t('admin.nav'), ...links), leave);
  setVisible($('#console-nav'), true);
  // The link to the other language opens the same part.
  for (const other of /** @type {HTMLAnchorElement[]} */ ($$('a.switch'))) other.hash = location.hash;
}

function signOut() {
  dropAdminToken();
  signIn('');
}

/** @param {string} why the reason to show, or an empty text */
function signIn(why) {
  turn += 1;
  end?.();
  end = undefined;
  setVisible($('#console-nav'), false);
  signInPart($('#console-part'), why, () => route());
}

/** Shows the part of the current address. @returns {Promise<void>} */
async function route() {
  if (adminToken() === null) return signIn('');
  if (!may('viewer')) return refuse(403);
  turn += 1;
  const current = turn;
  end?.();
  end = undefined;
  showNav();
  delete $('#console').dataset.part;
  const here = currentAddress();
  const found = PARTS.map(([pattern, part, least = 'viewer']) => ({ part, least, match: pattern.exec(here) })).find(({ match }) => match);
  const place = el('div', { class: 'part' });
  setChildren($('#console-part'), place);
  if (!found?.match) {
    setChildren(
      place,
      el('h1', null, t('admin.nowhere')),
      el('p', null, el('a', { class: 'plain-link', href: '#/' }, t('admin.back.sales'))),
    );
    return finishPart(place, here);
  }
  if (!may(found.least)) {
    setChildren(place, el('h1', null, t('admin.norole')), el('p', null, t('admin.norole.text', { role: t(`admin.role.${found.least}`) })));
    return finishPart(place, here);
  }
  setChildren(place, el('p', { class: 'muted', role: 'status' }, t('admin.loading')));
  const [, first, rest = ''] = found.match;
  try {
    const ended = await found.part(place, first ? [Number(first)] : [], rest);
    if (current === turn) end = ended;
    else ended?.();
  } catch (error) {
    if (current === turn) setChildren(place, failure(error, route));
  }
  if (current === turn) finishPart(place, here);
}

/** Sets the title, and moves the focus to the part's heading. @param {HTMLElement} place @param {string} here */
function finishPart(place, here) {
  $('#console').dataset.part = here;
  const heading = place.querySelector('h1');
  if (!heading) return;
  document.title = `${heading.textContent} · ${t('admin.title')} · onsale`;
  heading.tabIndex = -1;
  // Not for the first part, which begins with the page itself.
  if (turn > 1) heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** Asks for another token: this one is no longer valid (401), or has no role of staff (403). @param {number} status */
function refuse(status) {
  if (status === 401) dropAdminToken();
  signIn(t(status === 403 ? 'admin.signin.forbidden' : 'admin.signin.expired'));
}

onRefused(refuse);
onReload(route);
/** The address of the shown part. */
let shownAddress = location.hash;
window.addEventListener('hashchange', async () => {
  if (location.hash === shownAddress) return;
  const wanted = location.hash;
  if (!(await mayLeave())) {
    history.replaceState(null, '', shownAddress || '#/');
    return;
  }
  shownAddress = wanted;
  await takeTokenFromAddress({ admin: true });
  route();
});
await takeTokenFromAddress({ admin: true });
route();
