// @ts-check
/** `/schedules/{id}/seats`: the seat map, and choosing seats on it. */
import './lib/frame.js';
import { everySecond } from './lib/clock.js';
import { $, setText, setVisible } from './lib/dom.js';
import { page } from './lib/page.js';
import { onSessionChange, onsale } from './lib/session.js';
import { errorText, t } from './lib/text.js';
import { showBands } from './seats/bands.js';
import { Bar } from './seats/bar.js';
import { setUpBestAvailable } from './seats/best.js';
import { Choice } from './seats/choice.js';
import { setUpMapActions, toggleSeat } from './seats/map-actions.js';
import { persistPicks } from './seats/saved-picks.js';
import { followMap, loadSeats, loadStates } from './seats/live.js';
import { SeatMap } from './seats/map.js';
import { groupHolds, loadOwnReservations } from './seats/mine.js';
import { hideLostSeats, showLostSeats } from './seats/lost-seats.js';
import { SectionList } from './seats/section.js';
import { SeatHolder } from './seats/hold.js';
import { Turn } from './seats/turn.js';
import { planVenue } from './seats/venue.js';

/** How often the schedule is loaded again, for its phase and the organiser's message, in ms. */
const SALE_INTERVAL_MS = 10_000;

const id = page.schedule.id;

async function start() {
  const version = page.layout_version;
  const [seats, states] = await Promise.all([loadSeats(id, version), loadStates(id)]);
  if (seats.length === 0) return setText($('#map-loading'), t('seats.empty'));
  const choice = new Choice(planVenue(seats));
  choice.setAllowed(false, page.schedule.max_seats_per_user);
  followMap(id, version, choice, states);
  setVisible($('#map-loading'), false);
  const map = new SeatMap($('#map'), choice);
  const list = setUpSectionList(map);
  setUpMapActions(map, { open: list.open });
  showBands(choice);
  setUpBuying(map);
  return undefined;
}

/** Shows the open section on the map and as buttons. @param {SeatMap} map */
function setUpSectionList(map) {
  const list = new SectionList(map.choice, {
    pick: (seat) => toggleSeat(map.choice, seat),
    pointed: (seat) => {
      map.setHovered(seat);
      if (seat >= 0) map.reveal(seat);
    },
    opened: (section) => open(section, { at: [section.x, section.y] }),
  });
  /** @param {import('./seats/venue.js').Section} section @param {{focus?: boolean, at?: number[]}} how */
  const open = (section, { focus = false, at }) => {
    if (list.section !== section) list.open(section);
    map.setOpenSection(section);
    if (at) map.flyToSection(section, at);
    if (focus) list.focus();
  };
  return { open };
}

/** Sets up what a buyer needs: the turn, the bar, picking and holding seats. @param {SeatMap} map */
function setUpBuying(map) {
  const { choice } = map;
  /** @type {import('./seats/mine.js').Reservation[]} */
  let mine = [];
  const onChange = () => {
    choice.setAllowed(turn.state === 'active', sale.now.max_seats_per_user);
    bar.refresh();
  };
  const sale = followSale(onChange);
  const turn = new Turn(id, onChange);
  const data = { choice, turn, phase: () => sale.now.phase, holds: () => groupHolds(mine) };
  const bar = new Bar(id, data, { drop: (seat) => toggleSeat(choice, seat), hold: () => hold(), lapsed: () => refreshQuietly() });
  const refresh = async () => {
    mine = await loadOwnReservations(id);
    choice.setOwn(mine.flatMap(({ seat_id }) => choice.states.seatById.get(seat_id) ?? []));
    bar.refresh();
  };
  const holdOnly = (/** @type {number[]} */ seats) => {
    choice.pickOnly(seats);
    hold();
  };
  const offers = {
    look: (/** @type {number[]} */ seats) => showSeat(map, seats),
    take: (/** @type {number[]} */ seats) => holdOnly([...choice.picked, ...seats]),
  };
  const onLost = (/** @type {number[]} */ lost, /** @type {boolean} */ asked) => {
    hideLostSeats();
    if (!bestForm.onLost(lost)) showLostSeats(choice, lost, offers, asked);
  };
  const holder = new SeatHolder({ schedule: id, choice, bar, turn, refresh, onLost });
  const hold = () => {
    hideLostSeats();
    const seat_ids = [...choice.picked].map((seat) => choice.venue.seats[seat].id).sort((one, other) => one - other);
    return holder.hold({ seat_ids });
  };
  const bestForm = setUpBest(map, (wanted) => {
    hideLostSeats();
    holder.hold(wanted);
  });
  persistPicks(id, choice);
  turn.start();
  const refreshQuietly = () => refresh().catch(() => {});
  refreshQuietly();
  onSessionChange(refreshQuietly);
  // After the browser's back button from the checkout, the picked seats are held or sold, so the page reloads.
  window.addEventListener('pageshow', (event) => event.persisted && location.reload());
  // Another tab may have paid or released the seats.
  window.addEventListener('focus', refreshQuietly);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && refreshQuietly());
  everySecond(() => {
    turn.tick();
    bar.tick();
  });
}

/** Moves the map to the first of these seats. @param {SeatMap} map @param {number[]} seats */
function showSeat(map, [first]) {
  if (first === undefined) return;
  map.setHovered(first);
  map.reveal(first);
}

/**
 * Sets up the form for the best available seats.
 * @param {SeatMap} map @param {(wanted: import('./seats/best.js').Wish | {seat_ids: number[]}) => void} hold
 */
function setUpBest(map, hold) {
  const { choice } = map;
  const onFound = (/** @type {number[]} */ seats) => {
    if (choice.active) choice.pickOnly(seats);
    showSeat(map, seats);
  };
  return setUpBestAvailable(choice, { schedule: id, onFound, hold });
}

/** Keeps the schedule up to date: its phase, its limit and the organiser's message. @param {() => void} onChange */
function followSale(onChange) {
  const sale = { now: page.schedule };
  const load = async () => {
    if (document.visibilityState === 'hidden') return;
    sale.now = await onsale.schedule(id);
    showMessage(sale.now.message);
    onChange();
  };
  showMessage(sale.now.message);
  setInterval(() => load().catch(() => {}), SALE_INTERVAL_MS);
  return sale;
}

/** Shows the organiser's message. @param {string | null} text */
function showMessage(text) {
  setVisible($('#message'), Boolean(text));
  setText($('#message'), text ?? '');
}

start().catch((error) => {
  setVisible($('#map-loading'), true);
  setText($('#map-loading'), errorText(error));
});
