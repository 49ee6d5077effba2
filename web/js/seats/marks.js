// @ts-check
/**
 * The marks above the seats: the stage, names, numbers, picked seats and the seat under the pointer.
 */
import { t } from '../lib/text.js';
import { KIND_MINE, KIND_PICKED } from './choice.js';
import { outline } from './venue.js';
import { MOUSE_FROM, NUMBERS_FROM, toScreen } from './view.js';

/** @typedef {import('./map.js').SeatMap} SeatMap */
/** @typedef {import('./venue.js').Section} Section */

/** Section names are drawn for up to this many sections. */
const MAX_NAMES = 400;
/** Row names are drawn from this scale on, in CSS pixels per unit. */
const ROW_NAMES_FROM = 17;

/** Draws all marks of a map. @param {SeatMap} map */
export function drawMarks(map) {
  const context = map.marks.getContext('2d');
  if (!context) return;
  context.setTransform(map.ratio, 0, 0, map.ratio, 0, 0);
  context.clearRect(0, 0, map.view.width, map.view.height);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  drawStage(context, map);
  if (map.openSection) drawSectionOutline(context, map, map.openSection);
  if (map.view.scale >= MOUSE_FROM) {
    drawSectionTitles(context, map);
    drawRowNames(context, map);
  } else drawSectionNames(context, map);
  if (map.view.scale >= NUMBERS_FROM && !map.moving) drawSeatNumbers(context, map);
  drawOwnSeats(context, map);
  if (map.hoveredSeat >= 0) drawRing(context, map, map.hoveredSeat, map.paint.ink, 2);
  if (map.showsCross) drawCross(context, map);
}

/**
 * Traces the part of a ring between two radii, around `angle`.
 * @param {CanvasRenderingContext2D} context @param {SeatMap} map
 * @param {{inner: number, outer: number, atInner: number, atOuter: number}} shape @param {number} angle
 */
function traceArc(context, { view }, { inner, outer, atInner, atOuter }, angle) {
  const [x, y] = toScreen(view, 0, 0);
  // The plan's angles start at the bottom and grow to the right.
  const at = (/** @type {number} */ turned) => Math.PI / 2 - angle - turned;
  context.beginPath();
  context.arc(x, y, inner * view.scale, at(-atInner), at(atInner), true);
  context.arc(x, y, outer * view.scale, at(atOuter), at(-atOuter), false);
  context.closePath();
}

/** @param {CanvasRenderingContext2D} context @param {SeatMap} map */
function drawStage(context, map) {
  const { inner, outer, half } = map.venue.stage;
  const { view, paint } = map;
  traceArc(context, map, { inner, outer, atInner: half, atOuter: half }, 0);
  context.fillStyle = paint.stage;
  context.fill();
  const [x, y] = toScreen(view, 0, (inner + outer) / 2);
  const size = Math.min(15, (outer - inner) * view.scale * 0.55);
  if (size < 7) return;
  context.fillStyle = paint.ink;
  context.font = `600 ${size}px ${paint.font}`;
  context.fillText(t('seats.stage'), x, y);
}

/** @param {CanvasRenderingContext2D} context @param {SeatMap} map @param {Section} section */
function drawSectionOutline(context, map, section) {
  traceArc(context, map, outline(section), section.angle);
  context.strokeStyle = map.paint.accent;
  context.lineWidth = 2;
  context.stroke();
}

/**
 * Draws section names and their numbers of free seats, where there is room.
 * @param {CanvasRenderingContext2D} context @param {SeatMap} map
 */
function drawSectionNames(context, map) {
  const { view, paint, choice } = map;
  if (map.venue.sections.length > MAX_NAMES) return;
  for (const section of map.venue.sections) {
    const [x, y] = toScreen(view, section.x, section.y);
    const [wide, high] = [section.width * view.scale, section.depth * view.scale];
    const size = Math.min(14, wide * 0.3, high * 0.55);
    if (size < 8 || x < -wide || y < -high || x > view.width + wide || y > view.height + high) continue;
    context.font = `600 ${size}px ${paint.font}`;
    const name = fitText(context, section.name, wide * 0.9);
    const count = t('seats.band.free', { n: choice.states.freeInSection[section.index] });
    // Seats must stay visible around the text.
    const roomy = high > 4 * size && context.measureText(count).width * 0.82 < wide * 0.55;
    const free = roomy ? count : '';
    drawLabel(context, map, { x, y, name, free, size });
  }
}

/** Draws section names in front of the first rows, where seats are large. @param {CanvasRenderingContext2D} context @param {SeatMap} map */
function drawSectionTitles(context, map) {
  const { view, paint, choice } = map;
  context.font = `650 ${Math.min(15, view.scale * 0.85)}px ${paint.font}`;
  context.fillStyle = paint.ink;
  for (const section of map.venue.sections) {
    const free = t('seats.band.free', { n: choice.states.freeInSection[section.index] });
    const text = `${fitText(context, section.name, section.width * view.scale * 0.7)} · ${free}`;
    // The row is curved, but the text is not.
    const half = context.measureText(text).width / 2 / view.scale / section.inner;
    const radius = section.inner * Math.cos(Math.min(half, 0.4)) - 1.15;
    const [x, y] = toScreen(view, radius * Math.sin(section.angle), radius * Math.cos(section.angle));
    if (isVisible(map, x, y)) context.fillText(text, x, y);
  }
}

/**
 * @param {CanvasRenderingContext2D} context @param {SeatMap} map
 * @param {{x: number, y: number, name: string, free: string, size: number}} label
 */
function drawLabel(context, { paint }, { x, y, name, free, size }) {
  const small = size * 0.82;
  const wide = Math.max(context.measureText(name).width, context.measureText(free).width * 0.82) + size;
  const high = (free ? 2.5 : 1.6) * size;
  context.globalAlpha = 0.88;
  context.fillStyle = paint.paper;
  context.beginPath();
  context.roundRect(x - wide / 2, y - high / 2, wide, high, size * 0.45);
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = paint.ink;
  context.fillText(name, x, free ? y - size * 0.52 : y + 0.5);
  if (!free) return;
  context.fillStyle = paint.soft;
  context.font = `500 ${small}px ${paint.font}`;
  context.fillText(free, x, y + size * 0.6);
}

/** Shortens a name to the available room. @param {CanvasRenderingContext2D} context @param {string} name @param {number} room */
function fitText(context, name, room) {
  const letters = [...name.slice(0, 60)];
  while (letters.length > 1 && context.measureText(letters.join('')).width > room) letters.pop();
  const short = letters.join('');
  return short === name || letters.length < 3 ? short : `${letters.slice(0, -1).join('')}…`;
}

/** Draws row names at both ends of the rows. @param {CanvasRenderingContext2D} context @param {SeatMap} map */
function drawRowNames(context, map) {
  const { view, paint } = map;
  if (view.scale < ROW_NAMES_FROM) return;
  context.font = `500 ${Math.min(13, view.scale * 0.55)}px ${paint.font}`;
  context.fillStyle = paint.soft;
  for (const section of map.venue.sections) {
    for (const line of section.lines) {
      const name = section.rows[line.row].name.slice(0, 4);
      for (const side of [-1, 1]) {
        const angle = section.angle + (side * ((line.count - 1) / 2 + 1.1)) / line.radius;
        const [x, y] = toScreen(view, line.radius * Math.sin(angle), line.radius * Math.cos(angle));
        if (isVisible(map, x, y)) context.fillText(name, x, y);
      }
    }
  }
}

/** Draws the seat numbers of free seats. @param {CanvasRenderingContext2D} context @param {SeatMap} map */
function drawSeatNumbers(context, map) {
  const { venue, view, paint, choice } = map;
  context.fillStyle = paint.paper;
  for (let seat = 0; seat < venue.count; seat++) {
    if (!choice.isOpen(seat) || choice.hidden.has(venue.band[seat])) continue;
    const [x, y] = toScreen(view, venue.x[seat], venue.y[seat]);
    if (!isVisible(map, x, y)) continue;
    const text = String(venue.seats[seat].seat_number);
    context.font = `600 ${Math.min(13, (view.scale * 1.02) / Math.max(2, text.length))}px ${paint.font}`;
    context.fillText(text, x, y + 0.5);
  }
}

/** Draws picked and own seats so that they are visible at every scale. @param {CanvasRenderingContext2D} context @param {SeatMap} map */
function drawOwnSeats(context, map) {
  const { choice, paint, view } = map;
  for (const seat of [...choice.mine, ...choice.picked]) {
    const picked = choice.kinds[seat] === KIND_PICKED;
    if (!picked && choice.kinds[seat] !== KIND_MINE) continue;
    const [x, y] = toScreen(view, map.venue.x[seat], map.venue.y[seat]);
    if (!isVisible(map, x, y)) continue;
    if (view.scale < MOUSE_FROM) drawPin(context, map, x, y);
    else drawTick(context, x, y, view.scale * 0.4, paint.paper);
    if (picked && view.scale >= MOUSE_FROM) drawRing(context, map, seat, paint.ink, 2);
  }
}

/** @param {CanvasRenderingContext2D} context @param {SeatMap} map @param {number} x @param {number} y */
function drawPin(context, { paint }, x, y) {
  context.beginPath();
  context.arc(x, y, 6, 0, 2 * Math.PI);
  context.fillStyle = paint.ink;
  context.strokeStyle = paint.paper;
  context.lineWidth = 2.5;
  context.fill();
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} size @param {string} colour */
function drawTick(context, x, y, size, colour) {
  context.beginPath();
  context.moveTo(x - size * 0.5, y);
  context.lineTo(x - size * 0.12, y + size * 0.4);
  context.lineTo(x + size * 0.55, y - size * 0.42);
  context.strokeStyle = colour;
  context.lineWidth = Math.max(1.5, size * 0.22);
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {SeatMap} map @param {number} seat @param {string} colour @param {number} width */
function drawRing(context, map, seat, colour, width) {
  const [x, y] = toScreen(map.view, map.venue.x[seat], map.venue.y[seat]);
  const half = Math.max(5, map.view.scale * 0.4) + 2;
  context.beginPath();
  context.roundRect(x - half, y - half, 2 * half, 2 * half, half * 0.42);
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {SeatMap} map */
function drawCross(context, { view, paint }) {
  const [x, y] = [view.width / 2, view.height / 2];
  context.beginPath();
  for (const [across, down] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ]) {
    context.moveTo(x + across * 9, y + down * 9);
    context.lineTo(x + across * 22, y + down * 22);
  }
  context.strokeStyle = paint.ink;
  context.lineWidth = 2.5;
  context.stroke();
}

/** @param {SeatMap} map @param {number} x @param {number} y */
function isVisible({ view }, x, y) {
  return x > -20 && y > -20 && x < view.width + 20 && y < view.height + 20;
}
