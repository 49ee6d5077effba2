// @ts-check
/** The waiting page: a place in line, from before the line opens until it is one's turn. */
import { announce, toast } from './lib/announce.js';
import { everySecond, now, until } from './lib/clock.js';
import { confirm } from './lib/dialog.js';
import { set } from './lib/dom.js';
import './lib/frame.js';
import { page } from './lib/page.js';
import { canHaveCode, hasSeenCode, showCode } from './lib/recovery.js';
import { current, onSession, onsale, recover, signOut } from './lib/session.js';
import { tab } from './lib/store.js';
import { OneTab } from './lib/tabs.js';
import { countdown, errorText, number, t, time } from './lib/text.js';
import { dropTicket, keepTicket, onTicket, ticketOf } from './lib/ticket.js';
import { alarms, ring } from './wait/alarm.js';
import { drawCheck, lookAtDraw } from './wait/draw.js';
import { handOff } from './wait/handoff.js';
import { ago, aheadText, etaText, outlook, progress, seen } from './wait/place.js';
import { does, enter, fill, given, maybe, slots } from './wait/slots.js';
import { joiner } from './wait/join.js';

/** @typedef {import('./onsale.js').Ticket} Ticket */

const id = page.schedule_id;
const title = document.title;
const SEATS = `/schedules/${id}/seats`;

/** @type {any} the schedule as it was known last; null where it never was */
let schedule = page.schedule;
/** @type {Ticket | null} */
let ticket = null;
let heardAt = 0;
/** @type {import('./onsale.js').Followed | null} */
let line = null;
/** @type {import('./onsale.js').Connection} */
let connection = 'connecting';
let lostAt = 0;
let stale = false;
/** The tab that is pushed to: the others ask. */
const one = new OneTab(`onsale.line.${id}`, () => line?.nudge());

/** @param {import('./wait/slots.js').State} state */
function go(state) {
  if (document.body.dataset.state !== state) enter(state);
  given('placed', ['waiting', 'draw', 'active'].includes(state));
  if (['join', 'ended', 'early'].includes(state)) document.title = title;
}

const join = joiner({
  id,
  schedule: () => schedule,
  learn: (/** @type {any} */ newer) => (schedule = newer),
  go,
  joined: (/** @type {Ticket & { queue_token: string }} */ view) => {
    // Somebody else has signed in since, in another tab.
    if (!keepTicket(id, view.queue_token)) return void (current() ? join.now() : join.stand());
    take(view);
    follow(view.queue_token);
  },
});

/** Whether the order is drawn, and has not been yet. @param {Ticket} view */
const undrawn = (view) => page.drawn && view.position === null && !view.recovering && view.status === 'WAITING';

/** @param {Ticket} view */
function takeWaiting(view) {
  const { lowest, first } = seen(id, view);
  fill('ticket-id', view.ticket_id);
  if (undrawn(view)) return go('draw');
  go('waiting');
  fill('place', lowest === null ? '—' : number(lowest + 1));
  fill('ahead', lowest === null ? t('wait.place.unknown') : aheadText(lowest));
  const done = progress({ ticket_id: view.ticket_id, first, lowest });
  for (const bar of slots('progress')) /** @type {HTMLProgressElement} */ (bar).value = done;
  fill('eta', etaText(view, schedule));
  fill('seats', number(view.seats_available));
  fill('waiting', number(view.waiting));
  const { text, mood } = outlook(view, lowest, schedule?.max_seats_per_user ?? 4);
  fill('outlook', text);
  for (const note of slots('outlook')) note.dataset.mood = mood;
  document.title = lowest === null ? title : `(${number(lowest + 1)}) ${title}`;
  if (lowest !== null) announce(t('wait.announce', { place: number(lowest + 1), eta: etaText(view, schedule) }));
  return undefined;
}

/** @param {Ticket} view */
function takeActive(view) {
  const before = document.body.dataset.state;
  go('active');
  fill('active-until', t('wait.active.until', { time: time(view.active_expires_at ?? 0, 'exact') }));
  document.title = `● ${t('wait.active.title')} · ${title}`;
  if (before === 'active') return;
  announce(t('wait.active.announce'), { urgent: true });
  ring(`turn.${view.ticket_id}`, t('wait.active.title'), page.title ?? title, SEATS);
}

/** @param {string} status */
function takeEnd(status) {
  line?.stop();
  line = null;
  ticket = null;
  dropTicket(id);
  tab.set(`onsale.ended.${id}`, status);
  go('ended');
  fill('ended-title', t(`wait.ended.${status}`));
  fill('ended-text', t(`wait.ended.${status}.text`));
  announce(t(`wait.ended.${status}`), { now: true });
}

/** Offers a recovery code to who can have one and has not seen it. */
const offerCode = () => given('recovery', canHaveCode() && !hasSeenCode());

/** What a ticket is worth now. @param {Ticket} view */
function take(view) {
  if (ticket && ticket.phase !== view.phase && view.phase === 'PAUSED') announce(t('wait.eta.paused'), { now: true });
  if (view.message && ticket?.message !== view.message) announce(view.message, { now: true });
  [ticket, heardAt] = [view, performance.now()];
  maybe('message', view.message);
  offerCode();
  if (view.status === 'WAITING') takeWaiting(view);
  else if (view.status === 'ACTIVE') takeActive(view);
  else takeEnd(view.status);
  tick();
}

/** @param {string} token */
function follow(token) {
  line?.stop();
  line = onsale.follow(token, {
    stream: () => one.is,
    onTicket: (view) => {
      lostAt = 0;
      take(view);
    },
    onToken: (newer) => keepTicket(id, newer),
    onConnection: (how) => {
      if (how === 'lost' && connection !== 'lost') lostAt = heardAt > 0 ? now() - (performance.now() - heardAt) : now();
      if (how !== 'lost') lostAt = 0;
      connection = how;
      tick();
    },
    onStale: (old) => {
      stale = old;
      tick();
    },
    onEnd: (error) => {
      line = null;
      dropTicket(id);
      if (error.code === 'ticket_invalid' && current()) return join.now();
      go('join');
      return join.problem(errorText(error));
    },
  });
}

/** What is counted, and what says how fresh all of it is. */
function tick() {
  const state = document.body.dataset.state;
  if (state === 'early' || state === 'join') join.tick();
  if (state === 'active' && ticket?.active_expires_at) {
    const left = until(ticket.active_expires_at);
    fill('remaining', countdown(left));
    for (const slot of slots('remaining')) slot.classList.toggle('bad', left < 60_000);
    if (left > 59_000 && left <= 60_000) announce(t('wait.active.minute'), { urgent: true });
  }
  if (state === 'draw' && schedule) {
    const left = until(schedule.reservation_available_at);
    fill('draw-in', left > 0 ? countdown(left) : t('wait.draw.now'));
    fill('draw-text', left > 0 ? t('wait.draw.text') : t('wait.draw.now.text'));
  }
  const lost = lostAt > 0 && now() - lostAt > 10_000 ? t('wait.trouble.lost', { time: time(lostAt, 'exact') }) : null;
  if (line) maybe('trouble', lost ?? (stale ? t('wait.trouble.stale') : null));
  if (line && !ticket && connection === 'lost') fill('loading', t('wait.place.unknown'));
  if (!ticket) return;
  const old = connection === 'lost' || stale || !navigator.onLine;
  fill('connection', t(`wait.connection.${old ? 'lost' : connection}`));
  for (const dot of slots('dot')) dot.dataset.connection = old ? 'lost' : connection;
  fill('updated', ago(performance.now() - heardAt));
  // What may be old is no ground for a judgement.
  given('fresh', !old);
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
  const token = ticketOf(id);
  if (!sure || !token) return;
  try {
    await onsale.leave(token);
    takeEnd('LEFT');
  } catch (error) {
    toast(errorText(error), { error: true });
  }
}

/** Follows the place of whoever is signed in now: another user's place is not theirs. */
function reconsider() {
  join.named();
  const token = ticketOf(id);
  if (token !== null) return void (line || follow(token));
  if (!line && ticket === null) return undefined;
  line?.stop();
  [line, ticket] = [null, null];
  return void (current() ? join.now() : join.stand());
}

does('join', async (form) => {
  const name = /** @type {HTMLInputElement | null} */ (form.querySelector('input[name="name"]'));
  const buttons = /** @type {HTMLButtonElement[]} */ ([...form.querySelectorAll('button[type="submit"], button:not([type])')]);
  for (const button of buttons) {
    button.disabled = true;
    set(button, 'aria-busy', true);
  }
  try {
    await join.asked(current() ? null : (name?.value ?? ''));
  } finally {
    for (const button of buttons) {
      button.disabled = false;
      set(button, 'aria-busy', null);
    }
  }
});
does('recover', async () => {
  if (await recover()) join.asked(null);
});
does('recovery', async () => {
  await showCode();
  offerCode();
});
does('signout', signOut);
does('again', () => join.asked(null));
does('leave', leave);
does('handoff', async () => {
  try {
    const token = ticketOf(id);
    if (token) await handOff(token);
  } catch (error) {
    toast(errorText(error), { error: true });
  }
});
onSession(reconsider);
onTicket(id, (token) => {
  if (token === null && ticket) takeEnd('LEFT');
  else if (token !== null && !line) follow(token);
});

// For as long as the tab is there, seen or not: whoever is called looks away.
one.ask();
alarms();
everySecond(tick);
if (page.drawn) {
  drawCheck(() => {
    const mine = ticket ? seen(id, ticket) : null;
    return { ticket: ticket?.ticket_id ?? null, told: mine && ticket?.position !== null ? mine.first + 1 : null };
  });
  const look = () => lookAtDraw().then((over) => over || setTimeout(look, until(schedule?.reservation_available_at ?? 0) < 0 ? 3000 : 30_000), () => setTimeout(look, 10_000));
  look();
}

const kept = ticketOf(id);
if (kept) follow(kept);
else join.begin();
set(document.documentElement, 'data-ready', true);
