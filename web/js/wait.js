// @ts-check
/** `/schedules/{id}/wait`: the place in line, from before the line opens until the turn. */
import { announce, toast } from './lib/announce.js';
import { everySecond, serverNow, msUntil } from './lib/clock.js';
import { confirm } from './lib/dialog.js';
import { setAttribute } from './lib/dom.js';
import './lib/frame.js';
import { page } from './lib/page.js';
import { canHaveRecoveryCode, hasSeenRecoveryCode, showRecoveryCode } from './lib/recovery.js';
import { currentSession, onSessionChange, onsale, signInWithCode, signOut } from './lib/session.js';
import { tabStore } from './lib/store.js';
import { TabLeader } from './lib/tabs.js';
import { countdown, errorText, number, t, time } from './lib/text.js';
import { dropTicket, saveTicket, onTicketChange, loadTicket } from './lib/ticket.js';
import { setUpAlarms, ringAlarms } from './wait/alarm.js';
import { setUpDrawCheck, showDraw } from './wait/draw.js';
import { showHandOff } from './wait/handoff.js';
import { agoText, aheadText, etaText, outlook, progressOf, recordPlace } from './wait/place.js';
import { onAction, showState, fillSlots, showIf, showText, findSlots } from './wait/slots.js';
import { createJoiner } from './wait/join.js';

/** @typedef {import('./onsale.js').Ticket} Ticket */

const id = page.schedule_id;
const title = document.title;
const SEATS = `/schedules/${id}/seats`;

/** @type {import('./onsale/types.d.ts').Schedule | null} the latest known schedule, or null */
let schedule = page.schedule;
/** @type {Ticket | null} */
let ticket = null;
let freshAt = 0;
/** @type {import('./onsale.js').Followed | null} */
let following = null;
/** @type {import('./onsale.js').Connection} */
let connection = 'connecting';
let lostAt = 0;
let stale = false;
/** The leading tab holds the stream; the other tabs poll. */
const leader = new TabLeader(`onsale.line.${id}`, () => following?.nudge());

/** @param {import('./wait/slots.js').State} state */
function goTo(state) {
  if (document.body.dataset.state !== state) showState(state);
  showIf('placed', ['waiting', 'draw', 'active'].includes(state));
  if (['join', 'ended', 'early'].includes(state)) document.title = title;
}

const join = createJoiner({
  id,
  schedule: () => schedule,
  setSchedule: (newer) => (schedule = newer),
  goTo,
  onJoined: (view) => {
    // Another user has signed in meanwhile, in another tab.
    if (!saveTicket(id, view.queue_token)) return void (currentSession() ? join.joinNow() : join.showWithoutPlace());
    showTicket(view);
    followTicket(view.queue_token);
  },
});

/** Whether the order will be drawn and the draw has not happened yet. @param {Ticket} view */
const isBeforeDraw = (view) => page.drawn && view.position === null && !view.recovering && view.status === 'WAITING';

/** @param {Ticket} view */
function showWaiting(view) {
  const { lowest, first } = recordPlace(id, view);
  fillSlots('ticket-id', view.ticket_id);
  if (isBeforeDraw(view)) return goTo('draw');
  goTo('waiting');
  fillSlots('place', lowest === null ? '—' : number(lowest + 1));
  fillSlots('ahead', lowest === null ? t('wait.place.unknown') : aheadText(lowest));
  const done = progressOf({ ticket_id: view.ticket_id, first, lowest });
  for (const bar of findSlots('progress')) /** @type {HTMLProgressElement} */ (bar).value = done;
  fillSlots('eta', etaText(view, schedule));
  fillSlots('seats', number(view.seats_available));
  fillSlots('waiting', number(view.waiting));
  const { text, mood } = outlook(view, lowest, schedule?.max_seats_per_user ?? 4);
  fillSlots('outlook', text);
  for (const note of findSlots('outlook')) note.dataset.mood = mood;
  document.title = lowest === null ? title : `(${number(lowest + 1)}) ${title}`;
  if (lowest !== null) announce(t('wait.announce', { place: number(lowest + 1), eta: etaText(view, schedule) }));
  return undefined;
}

/** @param {Ticket} view */
function showActive(view) {
  const before = document.body.dataset.state;
  goTo('active');
  fillSlots('active-until', t('wait.active.until', { time: time(view.active_expires_at ?? 0, 'exact') }));
  document.title = `● ${t('wait.active.title')} · ${title}`;
  if (before === 'active') return;
  announce(t('wait.active.announce'), { urgent: true });
  ringAlarms(`turn.${view.ticket_id}`, t('wait.active.title'), page.title ?? title, SEATS);
}

/** @param {string} status */
function showEnd(status) {
  following?.stop();
  following = null;
  ticket = null;
  dropTicket(id);
  tabStore.set(`onsale.ended.${id}`, status);
  goTo('ended');
  fillSlots('ended-title', t(`wait.ended.${status}`));
  fillSlots('ended-text', t(`wait.ended.${status}.text`));
  announce(t(`wait.ended.${status}`), { now: true });
}

/** Offers a recovery code if the user can have one and has seen none in this browser. */
const offerRecoveryCode = () => showIf('recovery', canHaveRecoveryCode() && !hasSeenRecoveryCode());

/** Shows a ticket's current state. @param {Ticket} view */
function showTicket(view) {
  if (ticket && ticket.phase !== view.phase && view.phase === 'PAUSED') announce(t('wait.eta.paused'), { now: true });
  if (view.message && ticket?.message !== view.message) announce(view.message, { now: true });
  [ticket, freshAt] = [view, performance.now()];
  showText('message', view.message);
  offerRecoveryCode();
  if (view.status === 'WAITING') showWaiting(view);
  else if (view.status === 'ACTIVE') showActive(view);
  else showEnd(view.status);
  tick();
}

/** @param {string} token */
function followTicket(token) {
  following?.stop();
  following = onsale.follow(token, {
    stream: () => leader.isLeader,
    onTicket: (view) => {
      lostAt = 0;
      showTicket(view);
    },
    onToken: (newer) => saveTicket(id, newer),
    onConnection: (how) => {
      if (how === 'lost' && connection !== 'lost') lostAt = freshAt > 0 ? serverNow() - (performance.now() - freshAt) : serverNow();
      if (how !== 'lost') lostAt = 0;
      connection = how;
      tick();
    },
    onStale: (old) => {
      stale = old;
      tick();
    },
    onEnd: (error) => {
      following = null;
      dropTicket(id);
      if (error.code === 'ticket_invalid' && currentSession()) return join.joinNow();
      goTo('join');
      return join.showProblem(errorText(error));
    },
  });
}

/** Once a second: the countdowns, and how fresh the data is. */
function tick() {
  const state = document.body.dataset.state;
  if (state === 'early' || state === 'join') join.tick();
  if (state === 'active' && ticket?.active_expires_at) {
    const left = msUntil(ticket.active_expires_at);
    fillSlots('remaining', countdown(left));
    for (const slot of findSlots('remaining')) slot.classList.toggle('bad', left < 60_000);
    if (left > 59_000 && left <= 60_000) announce(t('wait.active.minute'), { urgent: true });
  }
  if (state === 'draw' && schedule) {
    const left = msUntil(schedule.reservation_available_at);
    fillSlots('draw-in', left > 0 ? countdown(left) : t('wait.draw.now'));
    fillSlots('draw-text', left > 0 ? t('wait.draw.text') : t('wait.draw.now.text'));
  }
  const lost = lostAt > 0 && serverNow() - lostAt > 10_000 ? t('wait.trouble.lost', { time: time(lostAt, 'exact') }) : null;
  if (following) showText('trouble', lost ?? (stale ? t('wait.trouble.stale') : null));
  if (following && !ticket && connection === 'lost') fillSlots('loading', t('wait.place.unknown'));
  if (!ticket) return;
  const old = connection === 'lost' || stale || !navigator.onLine;
  fillSlots('connection', t(`wait.connection.${old ? 'lost' : connection}`));
  for (const dot of findSlots('dot')) dot.dataset.connection = old ? 'lost' : connection;
  fillSlots('updated', agoText(performance.now() - freshAt));
  // No outlook from data that may be old.
  showIf('fresh', !old);
}

async function leave() {
  const active = ticket?.status === 'ACTIVE';
  const sure = await confirm({
    title: t(active ? 'wait.leave.active' : 'wait.leave.title'),
    body: t(active ? 'wait.leave.active.text' : 'wait.leave.text'),
    yes: t('wait.leave.yes'),
    no: t('wait.leave.no'),
    danger: true,
  });
  const token = loadTicket(id);
  if (!sure || !token) return;
  try {
    await onsale.leave(token);
    showEnd('LEFT');
  } catch (error) {
    toast(errorText(error), { error: true });
  }
}

/** Follows the current user's ticket. Another user's ticket is ignored. */
function followCurrentUser() {
  join.showUser();
  const token = loadTicket(id);
  if (token !== null) return void (following || followTicket(token));
  if (!following && ticket === null) return undefined;
  following?.stop();
  [following, ticket] = [null, null];
  return void (currentSession() ? join.joinNow() : join.showWithoutPlace());
}

onAction('join', async (form) => {
  const name = /** @type {HTMLInputElement | null} */ (form.querySelector('input[name="name"]'));
  const buttons = /** @type {HTMLButtonElement[]} */ ([...form.querySelectorAll('button[type="submit"], button:not([type])')]);
  for (const button of buttons) {
    button.disabled = true;
    setAttribute(button, 'aria-busy', true);
  }
  try {
    await join.joinAs(currentSession() ? null : (name?.value ?? ''));
  } finally {
    for (const button of buttons) {
      button.disabled = false;
      setAttribute(button, 'aria-busy', null);
    }
  }
});
onAction('recover', async () => {
  if (await signInWithCode()) join.joinAs(null);
});
onAction('recovery', async () => {
  await showRecoveryCode();
  offerRecoveryCode();
});
onAction('signout', signOut);
onAction('again', () => join.joinAs(null));
onAction('leave', leave);
onAction('handoff', async () => {
  try {
    const token = loadTicket(id);
    if (token) await showHandOff(token);
  } catch (error) {
    toast(errorText(error), { error: true });
  }
});
onSessionChange(followCurrentUser);
onTicketChange(id, (token) => {
  if (token === null && ticket) showEnd('LEFT');
  else if (token !== null && !following) followTicket(token);
});

// For as long as the tab is open, also in the background: a reader who looks away must be notified.
leader.requestLead();
setUpAlarms();
everySecond(tick);
if (page.drawn) {
  setUpDrawCheck(() => {
    const record = ticket ? recordPlace(id, ticket) : null;
    return { ticket: ticket?.ticket_id ?? null, firstPlace: record && ticket?.position !== null ? record.first + 1 : null };
  });
  const watchDraw = () =>
    showDraw().then(
      (over) => over || setTimeout(watchDraw, msUntil(schedule?.reservation_available_at ?? 0) < 0 ? 3000 : 30_000),
      () => setTimeout(watchDraw, 10_000),
    );
  watchDraw();
}

const storedTicket = loadTicket(id);
if (storedTicket) followTicket(storedTicket);
else join.start();
setAttribute(document.documentElement, 'data-ready', true);
