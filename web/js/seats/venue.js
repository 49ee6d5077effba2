// @ts-check
/**
 * Computes where the seats of a venue are drawn. Uses no document and no network.
 *
 * A layout contains only the section and row of each seat. The plan is a fan around a stage: rows are
 * arcs, the rows of a section lie behind one another, and sections of one price form rings, the first
 * one nearest. One unit is the distance between two neighbouring seats of a row. The centre of all arcs
 * is at 0,0, and `y` grows away from the stage.
 */
import { bandOfEach, priceBands } from './prices.js';

/** Distance between rows. */
const ROW_DISTANCE = 1.12;
/** Distance between sections of one ring, and between rings. */
const AISLE = 2.2;
const RING_GAP = 2.6;
/** Maximum number of rings by price. If there are more prices, sections are packed regardless of price. */
const MAX_GROUPS = 9;
/**
 * @typedef {{id: number, seat_number: number, section: string, row: string, seat_price: number}} Seat
 * @typedef {{first: number, count: number, row: number, radius: number}} Line seats of one row that
 *   are drawn on one arc: `count` of the section's `seats`, starting at `first`
 * @typedef {{name: string, first: number, count: number}} Row the seats of one row in a section
 * @typedef {{name: string, index: number, seats: Int32Array, rows: Row[], lines: Line[],
 *   width: number, depth: number, price: number, inner: number, angle: number, x: number,
 *   y: number}} Section `inner` is the radius of its first line, `angle` the direction of its
 *   middle (0 is straight away from the stage), `x` and `y` its middle
 * @typedef {import('./prices.js').Band} Band
 * @typedef {{left: number, top: number, right: number, bottom: number}} Box
 * @typedef {{count: number, seats: Seat[], x: Float32Array, y: Float32Array, section: Uint32Array,
 *   row: Uint32Array, band: Uint8Array, sections: Section[], bands: Band[], bounds: Box,
 *   stage: Stage}} Venue a seat is identified by its index in `seats`
 * @typedef {{inner: number, outer: number, half: number}} Stage also an arc; `half` is half its angle
 */

/**
 * Computes the plan of a layout's seats, which are sorted by number.
 * @param {Seat[]} seats
 * @returns {Venue}
 */
export function planVenue(seats) {
  const sections = groupSeats(seats);
  const bands = priceBands(seats);
  const venue = {
    count: seats.length,
    seats,
    x: new Float32Array(seats.length),
    y: new Float32Array(seats.length),
    section: new Uint32Array(seats.length),
    row: new Uint32Array(seats.length),
    band: bandOfEach(seats, bands),
    sections,
    bands,
    bounds: { left: 0, top: 0, right: 0, bottom: 0 },
    stage: { inner: 0, outer: 0, half: 0 },
  };
  venue.stage = stageBefore(arrangeSections(sections, seats.length), sections);
  for (const section of sections) placeSeats(venue, section);
  venue.bounds = boundsOf(venue);
  return venue;
}

/** Groups seats by section and row, in the order of their first seats. @param {Seat[]} seats */
function groupSeats(seats) {
  /** @type {Map<string, {rows: Map<string, number[]>, price: number}>} */
  const found = new Map();
  seats.forEach((seat, index) => {
    let section = found.get(seat.section);
    if (!section) found.set(seat.section, (section = { rows: new Map(), price: 0 }));
    section.price = Math.max(section.price, seat.seat_price);
    const row = section.rows.get(seat.row);
    if (row) row.push(index);
    else section.rows.set(seat.row, [index]);
  });
  return [...found].map(([name, { rows, price }], index) => createSection(name, index, rows, price));
}

/**
 * @param {string} name @param {number} index @param {Map<string, number[]>} rows
 * @param {number} price @returns {Section}
 */
function createSection(name, index, rows, price) {
  const seats = Int32Array.from([...rows.values()].flat());
  // A row that is too long for one line is folded into several.
  const longest = Math.max(48, Math.ceil(5 * Math.sqrt(seats.length)));
  /** @type {Section} */
  const section = {
    name,
    index,
    seats,
    rows: [],
    lines: [],
    price,
    width: 0,
    depth: 0,
    inner: 0,
    angle: 0,
    x: 0,
    y: 0,
  };
  let first = 0;
  for (const [label, { length }] of rows) {
    const folds = Math.ceil(length / longest);
    for (let fold = 0; fold < folds; fold++) {
      const from = Math.floor((length * fold) / folds);
      const count = Math.floor((length * (fold + 1)) / folds) - from;
      section.lines.push({ first: first + from, count, row: section.rows.length, radius: 0 });
      section.width = Math.max(section.width, count);
    }
    section.rows.push({ name: label, first, count: length });
    first += length;
  }
  section.depth = section.lines.length * ROW_DISTANCE;
  return section;
}

/**
 * The stage in front of a first row of this radius, about as wide as the row.
 * @param {number} first @param {Section[]} sections
 * @returns {Stage}
 */
function stageBefore(first, sections) {
  const ring = sections.filter(({ inner }) => inner === first);
  const widest = Math.max(0, ...ring.map(({ angle, width }) => Math.abs(angle) + width / 2 / first));
  const outer = first - 2.4;
  const depth = Math.min(outer - 1, 2 + first / 5);
  return { inner: outer - depth, outer, half: Math.min(0.62, widest * 0.8) };
}

/** The angle of the widest ring. In a big venue it nearly closes around the stage. @param {number} count */
function widestArc(count) {
  const size = Math.log10(Math.max(count, 10) / 500) / 2;
  return 1.5 + 1.4 * Math.min(1, Math.max(0, size));
}

/**
 * Sets the radius and angle of each section. Returns the radius of the first row.
 * @param {Section[]} sections @param {number} count
 */
function arrangeSections(sections, count) {
  const arc = widestArc(count);
  const groups = groupByPrice(sections);
  let radius = firstRadius(groups[0] ?? [], arc, count);
  for (const group of groups) {
    // One ring a little further away is better than two.
    const single = widthOf(group) / arc;
    if (single <= 1.3 * radius) radius = Math.max(radius, single);
    for (const ring of splitIntoRings(group, radius, arc)) {
      const widest = Math.max(...ring.map((section) => section.width));
      radius = Math.max(radius, widest / arc);
      placeRing(ring, radius);
      radius += Math.max(...ring.map((section) => section.depth)) + RING_GAP;
    }
  }
  return Math.min(radius, ...sections.map(({ inner }) => inner));
}

/** Groups neighbouring sections of one price; all in one group if there are too many prices. @param {Section[]} sections */
function groupByPrice(sections) {
  /** @type {Section[][]} */
  const groups = [];
  for (const section of sections) {
    const last = groups.at(-1);
    if (last && last[0].price === section.price) last.push(section);
    else groups.push([section]);
  }
  return groups.length > MAX_GROUPS ? [sections] : groups;
}

/** @param {Section[]} group @param {number} arc @param {number} count */
function firstRadius(group, arc, count) {
  const whole = widthOf(group);
  const widest = group.reduce((most, section) => Math.max(most, section.width), 0);
  const roomy = Math.min(38, 12 + 0.8 * Math.sqrt(count));
  return Math.max(9, widest, Math.min(whole / arc, roomy));
}

/**
 * Splits a group into as few rings as it needs, each filled in proportion to its room.
 * @param {Section[]} group @param {number} radius @param {number} arc @returns {Section[][]}
 */
function splitIntoRings(group, radius, arc) {
  const width = widthOf(group);
  if (width <= radius * arc * (1 + 1e-9)) return [group];
  const depth = group.reduce((most, section) => Math.max(most, section.depth), 0) + RING_GAP;
  const widest = group.reduce((most, section) => Math.max(most, section.width), 0) + AISLE;
  const room = [];
  for (let sum = 0, at = radius; sum < width; at += depth) {
    // Rings hold whole sections.
    room.push(Math.max(1, Math.floor((at * arc) / widest)) * widest);
    sum += room[room.length - 1];
  }
  const all = room.reduce((sum, one) => sum + one, 0);
  const found = [];
  let [taken, until] = [0, 0];
  for (const [nth, one] of room.entries()) {
    until += (one / all) * group.length;
    const to = nth === room.length - 1 ? group.length : Math.round(until);
    if (to > taken) found.push(group.slice(taken, to));
    taken = Math.max(taken, to);
  }
  return found;
}

/** The width of sections side by side. @param {Section[]} group */
function widthOf(group) {
  return group.reduce((sum, section) => sum + section.width + AISLE, 0);
}

/** Places a ring's sections side by side, centred. @param {Section[]} ring @param {number} inner */
function placeRing(ring, inner) {
  let angle = -widthOf(ring) / inner / 2;
  for (const section of ring) {
    const wide = (section.width + AISLE) / inner;
    section.inner = inner;
    section.angle = angle + wide / 2;
    section.lines.forEach((line, nth) => (line.radius = inner + nth * ROW_DISTANCE));
    const middle = inner + section.depth / 2 - ROW_DISTANCE / 2;
    section.x = middle * Math.sin(section.angle);
    section.y = middle * Math.cos(section.angle);
    angle += wide;
  }
}

/** @param {Venue} venue @param {Section} section */
function placeSeats(venue, section) {
  for (const line of section.lines) {
    for (let nth = 0; nth < line.count; nth++) {
      const angle = section.angle + (nth - (line.count - 1) / 2) / line.radius;
      const seat = section.seats[line.first + nth];
      venue.x[seat] = line.radius * Math.sin(angle);
      venue.y[seat] = line.radius * Math.cos(angle);
      venue.section[seat] = section.index;
      venue.row[seat] = line.row;
    }
  }
}

/** @param {Venue} venue @returns {Box} */
function boundsOf(venue) {
  const { inner, outer, half } = venue.stage;
  const wide = outer * Math.sin(half);
  const box = { left: -wide, top: inner * Math.cos(half), right: wide, bottom: outer };
  for (let seat = 0; seat < venue.count; seat++) {
    box.left = Math.min(box.left, venue.x[seat]);
    box.right = Math.max(box.right, venue.x[seat]);
    box.top = Math.min(box.top, venue.y[seat]);
    box.bottom = Math.max(box.bottom, venue.y[seat]);
  }
  return { left: box.left - 2, top: box.top - 2, right: box.right + 2, bottom: box.bottom + 2 };
}

/**
 * The seat at a point, or -1.
 * @param {Venue} venue @param {number} x @param {number} y
 */
export function seatAt(venue, x, y) {
  const section = sectionAt(venue, x, y, 0.6);
  if (!section) return -1;
  const line = section.lines[Math.round((Math.hypot(x, y) - section.inner) / ROW_DISTANCE)];
  if (!line) return -1;
  const along = normalizeAngle(Math.atan2(x, y) - section.angle) * line.radius;
  const nth = Math.round(along + (line.count - 1) / 2);
  return nth < 0 || nth >= line.count ? -1 : section.seats[line.first + nth];
}

/**
 * The section at a point or within `slack` units of it, or null.
 * @param {Venue} venue @param {number} x @param {number} y @returns {Section | null}
 */
export function sectionAt(venue, x, y, slack = AISLE / 2) {
  const [radius, angle] = [Math.hypot(x, y), Math.atan2(x, y)];
  const inside = (/** @type {Section} */ section) => {
    const outer = section.inner + section.depth - ROW_DISTANCE;
    const along = Math.abs(normalizeAngle(angle - section.angle)) * radius;
    return radius >= section.inner - slack && radius <= outer + slack && along <= section.width / 2 + slack;
  };
  return venue.sections.find(inside) ?? null;
}

/** Normalizes an angle to -π to π. @param {number} angle */
function normalizeAngle(angle) {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
}

/**
 * A section's outline, with room for its name and row names: inner and outer radius, and half the angle at each.
 * @param {Section} section
 */
export function outline(section) {
  const [inner, outer] = [section.inner - 1.9, section.inner + section.depth - ROW_DISTANCE + 0.9];
  const half = section.width / 2 + 1.5;
  return { inner, outer, atInner: half / inner, atOuter: half / outer };
}
