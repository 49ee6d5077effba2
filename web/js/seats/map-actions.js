// @ts-check
/** What taps, keys and the pointer do on the map. */
import { announce, toast } from '../lib/announce.js';
import { $, setText, setVisible } from '../lib/dom.js';
import { money, t } from '../lib/text.js';
import { listenToGestures, step } from './gestures.js';
import { isolate, seatName } from './names.js';
import { AVAILABLE } from './states.js';
import { MOUSE_FROM, toPlan } from './view.js';

/** How far a finger may miss a seat, in CSS pixels. */
const FINGER_SLACK = 14;
/** The middle of the map is announced when no key was pressed for this long, in ms. */
const REST_MS = 400;

/** Describes a seat: its name, price and state. @param {import('./choice.js').Choice} choice @param {number} seat */
export function describeSeat(choice, seat) {
  const one = choice.venue.seats[seat];
  const state = choice.mine.has(seat)
    ? 'mine'
    : choice.picked.has(seat)
      ? 'picked'
      : choice.states.states[seat] === AVAILABLE
        ? 'free'
        : 'taken';
  return [seatName(one), money(one.seat_price), t(`seats.state.${state}`)].join(' · ');
}

/**
 * Picks a seat, or removes it, and announces the result.
 * @param {import('./choice.js').Choice} choice @param {number} seat
 */
export function toggleSeat(choice, seat) {
  const one = choice.venue.seats[seat];
  const result = choice.toggle(seat);
  if (result === 'picked' || result === 'removed') {
    const key = result === 'picked' ? 'seats.notice.picked' : 'seats.notice.given_up';
    announce(t(key, { seat: seatName(one), n: choice.picked.size }), { now: true });
  } else if (choice.mine.has(seat)) toast(t('seats.notice.mine', { seat: seatName(one) }));
  else if (result === 'full') toast(t('seats.notice.full', { n: choice.limit }));
  else if (result === 'taken') toast(t('seats.notice.taken', { seat: seatName(one) }));
  else toast(t('seats.notice.not_now'));
}

/**
 * @param {import('./map.js').SeatMap} map
 * @param {{open: (section: import('./venue.js').Section, how: {focus?: boolean, at?: number[]}) => void}} handlers `at`
 *   is the point of the plan to show; without it the map does not move
 */
export function setUpMapActions(map, handlers) {
  const { choice } = map;
  const tooltip = $('#map-here');
  const pointAt = (/** @type {number} */ seat, /** @type {number} */ left, /** @type {number} */ top) => {
    map.setHovered(seat);
    map.host.classList.toggle('over-seat', seat >= 0 && choice.isOpen(seat));
    setVisible(tooltip, seat >= 0);
    if (seat < 0) return;
    setText(tooltip, describeSeat(choice, seat));
    const right = left > map.view.width / 2;
    tooltip.style.left = right ? '' : `${left + 14}px`;
    tooltip.style.right = right ? `${map.view.width - left + 14}px` : '';
    tooltip.style.top = `${Math.max(4, top - 44)}px`;
  };
  const middle = () => [map.view.width / 2, map.view.height / 2];
  let resting = 0;
  listenToGestures(map, {
    tapped(left, top, touch) {
      const section = map.sectionAt(left, top);
      if (map.view.scale < map.pickable) {
        if (section) handlers.open(section, { at: toPlan(map.view, left, top) });
        return;
      }
      const seat = seatNear(map, left, top, touch ? FINGER_SLACK : 3);
      if (seat < 0) return pointAt(-1, 0, 0);
      pointAt(seat, left, top);
      if (section) handlers.open(section, {});
      return toggleSeat(choice, seat);
    },
    over(left, top) {
      pointAt(left < 0 || map.view.scale < MOUSE_FROM ? -1 : map.seatAt(left, top), left, top);
      const section = left < 0 || map.view.scale >= MOUSE_FROM ? null : map.sectionAt(left, top);
      map.host.classList.toggle('over-section', section !== null);
    },
    entered() {
      const [left, top] = middle();
      const section = map.sectionAt(left, top);
      const seat = map.view.scale >= MOUSE_FROM ? seatNear(map, left, top, 8) : -1;
      if (seat >= 0) toggleSeat(choice, seat);
      else if (section) handlers.open(section, { focus: true, at: [section.x, section.y] });
    },
    settled() {
      clearTimeout(resting);
      resting = window.setTimeout(() => announce(describePoint(map, ...middle()), { now: true }), REST_MS);
    },
  });
  $('#closer').addEventListener('click', () => step(map, true));
  $('#further').addEventListener('click', () => step(map, false));
  $('#all').addEventListener('click', () => map.flyToAll());
}

/** Describes what is at a point of the screen. @param {import('./map.js').SeatMap} map @param {number} [left] @param {number} [top] */
function describePoint(map, left = 0, top = 0) {
  const seat = map.view.scale >= MOUSE_FROM ? seatNear(map, left, top, 8) : -1;
  if (seat >= 0) return describeSeat(map.choice, seat);
  const section = map.sectionAt(left, top);
  if (!section) return t('seats.notice.nothing');
  return t('seats.section.option', { section: isolate(section.name), n: map.choice.states.freeInSection[section.index] });
}

/**
 * The seat at a point, or the nearest one within `slack` CSS pixels, or -1.
 * @param {import('./map.js').SeatMap} map @param {number} left @param {number} top @param {number} slack
 */
function seatNear(map, left, top, slack) {
  const exact = map.seatAt(left, top);
  if (exact >= 0) return exact;
  for (let nth = 0; nth < 8; nth++) {
    const [x, y] = [Math.cos((nth * Math.PI) / 4), Math.sin((nth * Math.PI) / 4)];
    const seat = map.seatAt(left + x * slack, top + y * slack);
    if (seat >= 0) return seat;
  }
  return -1;
}
