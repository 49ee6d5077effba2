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
import { keepLive, seatsOf } from './seats/live.js';
import { SeatMap } from './seats/map.js';
import { holdsIn, mineOf } from './seats/mine.js';
import { noRival, rival } from './seats/rival.js';
import { SectionList } from './seats/section.js';
import { Taking } from './seats/taking.js';
import { Turn } from './seats/turn.js';
import { plan } from './seats/venue.js';
import { PICKABLE } from './seats/view.js';

/** How often the sale itself is looked up: its phase, and the organiser's message. */
const SALE_MS = 10_000;

const id = page.schedule.id;

async function start() {
  const venue = plan(await seatsOf(id, page.layout_version));
  show($('#map-loading'), false);
  if (venue.count === 0) return say($('#map-help'), t('seats.empty'));
  const choice = new Choice(venue);
  const map = new SeatMap($('#map'), choice);
  const list = listOf(map);
  hands(map, { open: list.open });
  bands(choice);
  buying(map);
  await keepLive(id, page.layout_version, choice, () => location.reload());
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
    opened: (section) => open(section, false),
  });
  const open = (/** @type {import('./seats/venue.js').Section} */ section, /** @type {boolean} */ focus) => {
    const other = list.section !== section;
    if (other) list.open(section);
    map.mark(section);
    if (other || map.view.scale < PICKABLE) map.lookAt(section);
    if (focus) list.focus();
  };
  return { open };
}

/** All that is for whoever may buy. @param {SeatMap} map */
function buying(map) {
  const { choice } = map;
  let sale = page.schedule;
  /** @type {import('./seats/mine.js').Reservation[]} */
  let mine = [];
  const allowed = () => {
    choice.allow(turn.standing === 'active', sale.max_seats_per_user);
    bar.refresh();
  };
  const turn = new Turn(id, allowed);
  const known = { choice, turn, phase: () => sale.phase, holds: () => holdsIn(mine) };
  const bar = new Bar(id, known, { drop: (seat) => pick(choice, seat), hold: () => hold() });
  const refresh = async () => {
    mine = await mineOf(id);
    choice.own(mine.flatMap(({ seat_id }) => choice.states.seatOf.get(seat_id) ?? []));
    bar.refresh();
  };
  const look = (/** @type {number[]} */ seats) => {
    if (seats.length === 0) return;
    map.point(seats[0]);
    map.reveal(seats[0]);
  };
  const beaten = (/** @type {number[]} */ lost) =>
    rival(choice, lost, {
      look,
      take: (seats) => {
        choice.pickOnly([...choice.picked, ...seats]);
        hold();
      },
    });
  const taking = new Taking({ schedule: id, choice, bar, turn, refresh, beaten });
  const hold = () => {
    noRival();
    const seat_ids = [...choice.picked].map((seat) => choice.venue.seats[seat].id).sort((one, other) => one - other);
    return taking.hold({ seat_ids });
  };
  bestAvailable(choice, {
    wanted: (wish) => taking.hold(wish),
    shown: (seats) => {
      if (choice.active) choice.pickOnly(seats);
      look(seats);
    },
  });
  turn.start();
  const again = () => refresh().catch(() => {});
  again();
  onSession(again);
  // Back from paying, by the browser's back button: what was picked is held or sold now.
  window.addEventListener('pageshow', (event) => event.persisted && again());
  everySecond(() => {
    turn.tick();
    bar.tick();
  });
  const lookUp = async () => {
    if (document.visibilityState === 'hidden') return;
    sale = await onsale.schedule(id);
    message(sale.message);
    allowed();
  };
  message(sale.message);
  setInterval(() => lookUp().catch(() => {}), SALE_MS);
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
