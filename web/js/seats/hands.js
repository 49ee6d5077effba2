// @ts-check
/** What taps, keys and the pointer on the map come to. */
import { announce, toast } from '../lib/announce.js';
import { $, say, show } from '../lib/dom.js';
import { money, t } from '../lib/text.js';
import { gestures, step } from './gestures.js';
import { alone, seatName } from './say.js';
import { AVAILABLE } from './states.js';
import { PICKABLE, toPlan } from './view.js';

/** By so many CSS pixels a finger may miss. */
const MISS = 14;
/** Listeners are told what is in the middle when keys have rested for so long, in ms. */
const REST_MS = 400;

/** A seat in all words. @param {import('./choice.js').Choice} choice @param {number} seat */
export function describe(choice, seat) {
  const one = choice.venue.seats[seat];
  const state = choice.mine.has(seat)
    ? 'mine'
    : choice.picked.has(seat)
      ? 'picked'
      : choice.states.of[seat] === AVAILABLE
        ? 'free'
        : 'taken';
  return [seatName(one), money(one.seat_price), t(`seats.state.${state}`)].join(' · ');
}

/**
 * Picks a seat or gives it up, and says what came of it.
 * @param {import('./choice.js').Choice} choice @param {number} seat
 */
export function pick(choice, seat) {
  const one = choice.venue.seats[seat];
  const came = choice.toggle(seat);
  if (came === 'picked' || came === 'given up') {
    const key = came === 'picked' ? 'seats.told.picked' : 'seats.told.given_up';
    announce(t(key, { seat: seatName(one), n: choice.picked.size }), { now: true });
  } else if (choice.mine.has(seat)) toast(t('seats.told.mine', { seat: seatName(one) }));
  else if (came === 'full') toast(t('seats.told.full', { n: choice.limit }));
  else if (came === 'taken') toast(t('seats.told.taken', { seat: seatName(one) }));
  else toast(t('seats.told.not_now'));
}

/**
 * @param {import('./map.js').SeatMap} map
 * @param {{open: (section: import('./venue.js').Section, how: {focus?: boolean, at?: number[]}) => void}} told `at` is the
 *   point of the plan to show of it; without one the map stays where it is
 */
export function hands(map, told) {
  const { choice } = map;
  const here = $('#map-here');
  const pointed = (/** @type {number} */ seat, /** @type {number} */ left, /** @type {number} */ top) => {
    map.point(seat);
    map.host.classList.toggle('over-seat', seat >= 0 && choice.isOpen(seat));
    show(here, seat >= 0);
    if (seat < 0) return;
    say(here, describe(choice, seat));
    const right = left > map.view.width / 2;
    here.style.left = right ? '' : `${left + 14}px`;
    here.style.right = right ? `${map.view.width - left + 14}px` : '';
    here.style.top = `${Math.max(4, top - 44)}px`;
  };
  const middle = () => [map.view.width / 2, map.view.height / 2];
  let resting = 0;
  gestures(map, {
    tapped(left, top, touch) {
      const section = map.sectionAt(left, top);
      if (map.view.scale < map.pickable) {
        if (section) told.open(section, { at: toPlan(map.view, left, top) });
        return;
      }
      const seat = around(map, left, top, touch ? MISS : 3);
      if (seat < 0) return pointed(-1, 0, 0);
      pointed(seat, left, top);
      if (section) told.open(section, {});
      return pick(choice, seat);
    },
    over(left, top) {
      pointed(left < 0 || map.view.scale < PICKABLE ? -1 : map.seatAt(left, top), left, top);
      const section = left < 0 || map.view.scale >= PICKABLE ? null : map.sectionAt(left, top);
      map.host.classList.toggle('over-section', section !== null);
    },
    entered() {
      const [left, top] = middle();
      const section = map.sectionAt(left, top);
      const seat = map.view.scale >= PICKABLE ? around(map, left, top, 8) : -1;
      if (seat >= 0) pick(choice, seat);
      else if (section) told.open(section, { focus: true, at: [section.x, section.y] });
    },
    settled() {
      clearTimeout(resting);
      resting = window.setTimeout(() => announce(inWords(map, ...middle()), { now: true }), REST_MS);
    },
  });
  $('#closer').addEventListener('click', () => step(map, true));
  $('#further').addEventListener('click', () => step(map, false));
  $('#all').addEventListener('click', () => map.lookAtAll());
}

/** What is there on the screen, in words. @param {import('./map.js').SeatMap} map @param {number} [left] @param {number} [top] */
function inWords(map, left = 0, top = 0) {
  const seat = map.view.scale >= PICKABLE ? around(map, left, top, 8) : -1;
  if (seat >= 0) return describe(map.choice, seat);
  const section = map.sectionAt(left, top);
  if (!section) return t('seats.told.nothing');
  return t('seats.section.option', { section: alone(section.name), n: map.choice.states.inSection[section.index] });
}

/** The seat there, or the nearest within so many CSS pixels; -1 for none. @param {import('./map.js').SeatMap} map @param {number} left @param {number} top @param {number} slack */
function around(map, left, top, slack) {
  const exact = map.seatAt(left, top);
  if (exact >= 0) return exact;
  for (let nth = 0; nth < 8; nth++) {
    const [x, y] = [Math.cos((nth * Math.PI) / 4), Math.sin((nth * Math.PI) / 4)];
    const seat = map.seatAt(left + x * slack, top + y * slack);
    if (seat >= 0) return seat;
  }
  return -1;
}
