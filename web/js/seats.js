// @ts-check
/** `/schedules/{id}/seats`: the map of the venue, and choosing seats on it. */
import './lib/frame.js';
import { everySecond } from './lib/clock.js';
import { $, say, show } from './lib/dom.js';
import { page } from './lib/page.js';
import { onSession, onsale } from './lib/session.js';
import { errorText, t } from './lib/text.js';
import { bands } from './seats/bands.js';
import { Bar } from './seats/bar.js';
import { bestAvailable } from './seats/best.js';
import { Choice } from './seats/choice.js';
import { hands, pick } from './seats/hands.js';
import { keepPicks } from './seats/kept.js';
import { keepLive, seatsOf, statesOf } from './seats/live.js';
import { SeatMap } from './seats/map.js';
import { holdsIn, mineOf } from './seats/mine.js';
import { noRival, rival } from './seats/rival.js';
import { SectionList } from './seats/section.js';
import { Taking } from './seats/taking.js';
import { Turn } from './seats/turn.js';
import { plan } from './seats/venue.js';

/** How often the sale itself is looked up: its phase, and the organiser's message. */
const SALE_MS = 10_000;

const id = page.schedule.id;

async function start() {
  const version = page.layout_version;
  const [seats, states] = await Promise.all([seatsOf(id, version), statesOf(id)]);
  if (seats.length === 0) return say($('#map-loading'), t('seats.empty'));
  const choice = new Choice(plan(seats));
  choice.allow(false, page.schedule.max_seats_per_user);
  keepLive(id, version, choice, states);
  show($('#map-loading'), false);
  const map = new SeatMap($('#map'), choice);
  const list = listOf(map);
  hands(map, { open: list.open });
  bands(choice);
  buying(map);
  return undefined;
}

/** The open section, on the map and as buttons. @param {SeatMap} map */
function listOf(map) {
  const list = new SectionList(map.choice, {
    pick: (seat) => pick(map.choice, seat),
    pointed: (seat) => {
      map.point(seat);
      if (seat >= 0) map.reveal(seat);
    },
    opened: (section) => open(section, { at: [section.x, section.y] }),
  });
  /** @param {import('./seats/venue.js').Section} section @param {{focus?: boolean, at?: number[]}} how */
  const open = (section, { focus = false, at }) => {
    if (list.section !== section) list.open(section);
    map.mark(section);
    if (at) map.lookAt(section, at);
    if (focus) list.focus();
  };
  return { open };
}

/** All that is for whoever may buy. @param {SeatMap} map */
function buying(map) {
  const { choice } = map;
  /** @type {import('./seats/mine.js').Reservation[]} */
  let mine = [];
  const allowed = () => {
    choice.allow(turn.standing === 'active', sale.now.max_seats_per_user);
    bar.refresh();
  };
  const sale = saleNow(allowed);
  const turn = new Turn(id, allowed);
  const known = { choice, turn, phase: () => sale.now.phase, holds: () => holdsIn(mine) };
  const bar = new Bar(id, known, { drop: (seat) => pick(choice, seat), hold: () => hold(), lapsed: () => again() });
  const refresh = async () => {
    mine = await mineOf(id);
    choice.own(mine.flatMap(({ seat_id }) => choice.states.seatOf.get(seat_id) ?? []));
    bar.refresh();
  };
  const only = (/** @type {number[]} */ seats) => {
    choice.pickOnly(seats);
    hold();
  };
  const instead = {
    look: (/** @type {number[]} */ seats) => lookAt(map, seats),
    take: (/** @type {number[]} */ seats) => only([...choice.picked, ...seats]),
  };
  const beaten = (/** @type {number[]} */ lost, /** @type {boolean} */ asked) => {
    noRival();
    if (!offered.lost(lost)) rival(choice, lost, instead, asked);
  };
  const taking = new Taking({ schedule: id, choice, bar, turn, refresh, beaten });
  const hold = () => {
    noRival();
    const seat_ids = [...choice.picked].map((seat) => choice.venue.seats[seat].id).sort((one, other) => one - other);
    return taking.hold({ seat_ids });
  };
  const offered = best(map, (wanted) => {
    noRival();
    taking.hold(wanted);
  });
  keepPicks(id, choice);
  turn.start();
  const again = () => refresh().catch(() => {});
  again();
  onSession(again);
  // Back from paying, by the browser's back button: what was picked is held or sold now.
  window.addEventListener('pageshow', (event) => event.persisted && location.reload());
  // Paid or given back in another tab, perhaps.
  window.addEventListener('focus', again);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && again());
  everySecond(() => {
    turn.tick();
    bar.tick();
  });
}

/** Shows the first of some seats. @param {SeatMap} map @param {number[]} seats */
function lookAt(map, [first]) {
  if (first === undefined) return;
  map.point(first);
  map.reveal(first);
}

/** Best available. @param {SeatMap} map @param {(wanted: import('./seats/best.js').Wish | {seat_ids: number[]}) => void} hold */
function best(map, hold) {
  const { choice } = map;
  const shown = (/** @type {number[]} */ seats) => {
    if (choice.active) choice.pickOnly(seats);
    lookAt(map, seats);
  };
  return bestAvailable(choice, { schedule: id, shown, hold });
}

/** The sale as it is now: its phase, its limit, what the organiser says. @param {() => void} changed */
function saleNow(changed) {
  const sale = { now: page.schedule };
  const lookUp = async () => {
    if (document.visibilityState === 'hidden') return;
    sale.now = await onsale.schedule(id);
    message(sale.now.message);
    changed();
  };
  message(sale.now.message);
  setInterval(() => lookUp().catch(() => {}), SALE_MS);
  return sale;
}

/** What the organiser says. @param {string | null} text */
function message(text) {
  show($('#message'), Boolean(text));
  say($('#message'), text ?? '');
}

start().catch((error) => {
  show($('#map-loading'), true);
  say($('#map-loading'), errorText(error));
});
