// @ts-check
/**
 * The map of a venue: two canvases, seats below and marks above them.
 *
 * Seats are drawn whole when the view changes. When seats change, only their squares are. All
 * drawing is done once a frame, and none where nothing changed.
 */
import { paintOf } from './looks.js';
import { drawMarks } from './marks.js';
import { Raster } from './raster.js';
import { seatAt, sectionAt } from './venue.js';
import { between, fit, FINGER, kept, onto, PICKABLE, toPlan } from './view.js';

/** More pixels than that are drawn coarser: memory of a phone. */
const MOST_PIXELS = 6_000_000;
/** More squares than that take longer than the whole. */
const MOST_SQUARES = 600;
/** How long a flight to a section takes. */
const FLIGHT_MS = 320;
/** After so long without a move, numbers are drawn. */
const STILL_MS = 90;

/** @typedef {import('./view.js').View} View */

export class SeatMap {
  /**
   * @param {HTMLElement} host what the map fills
   * @param {import('./choice.js').Choice} choice
   */
  constructor(host, choice) {
    this.host = host;
    this.choice = choice;
    this.venue = choice.venue;
    this.seats = layer(host, 'map-seats');
    this.marks = layer(host, 'map-marks');
    this.paint = paintOf(host);
    this.ratio = 1;
    /** @type {View} */
    this.view = fit(this.venue.bounds, 1, 1);
    this.whole = true;
    this.raster = new Raster(0, 0, new Uint32Array(0));
    this.image = new ImageData(1, 1);
    /** What is marked: a section, a seat under the pointer or the focus, the middle. */
    this.open = /** @type {import('./venue.js').Section | null} */ (null);
    this.hover = -1;
    this.aimed = false;
    /** What is to be drawn in the next frame. */
    this.due = { seats: true, marks: true, squares: /** @type {Set<number>} */ (new Set()) };
    this.frame = 0;
    this.moving = false;
    this.calm = 0;
    /** @type {{from: View, to: View, begun: number} | null} */
    this.flight = null;
    choice.on('seats', (seats) => this.#changed(seats));
    choice.on('picks', () => this.#mark());
    new ResizeObserver(() => this.#resize()).observe(host);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#repaint());
    this.#watchRatio();
    this.#resize();
  }

  /** The window may go to another screen. */
  #watchRatio() {
    const now = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    const changed = () => {
      this.#resize();
      this.#watchRatio();
    };
    now.addEventListener('change', changed, { once: true });
  }

  /** @param {number[]} seats */
  #changed(seats) {
    seats.forEach((seat) => this.due.squares.add(seat));
    if (this.due.squares.size > MOST_SQUARES) this.due.seats = true;
    // Counts of free seats are among the marks.
    if (seats.length > 0) this.#mark();
  }

  #mark() {
    this.due.marks = true;
    this.#ask();
  }

  #repaint() {
    this.paint = paintOf(this.host);
    this.due.seats = true;
    this.#mark();
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (width === 0 || height === 0) return;
    this.ratio = Math.min(devicePixelRatio, Math.sqrt(MOST_PIXELS / (width * height)));
    const [across, down] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    for (const canvas of [this.seats, this.marks]) {
      canvas.width = across;
      canvas.height = down;
    }
    this.image = new ImageData(across, down);
    this.raster = new Raster(across, down, new Uint32Array(this.image.data.buffer));
    const view = { ...this.view, width, height };
    this.#aim(this.whole ? fit(this.venue.bounds, width, height) : kept(view, this.venue.bounds));
  }

  /** @param {View} view */
  #aim(view) {
    this.view = view;
    this.due.seats = true;
    this.moving = true;
    clearTimeout(this.calm);
    this.calm = setTimeout(() => {
      this.moving = false;
      this.#mark();
    }, STILL_MS);
    this.#mark();
  }

  /** Shows this, at once. @param {View} view */
  look(view) {
    this.flight = null;
    this.whole = false;
    this.#aim(view);
  }

  /** Goes there, in a moment. @param {View} to */
  fly(to) {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return this.look(to);
    this.whole = false;
    this.flight = { from: this.view, to, begun: performance.now() };
    this.#ask();
  }

  /** Shows the whole venue. */
  lookAtAll() {
    this.fly(fit(this.venue.bounds, this.view.width, this.view.height));
    this.whole = true;
  }

  /** From so many CSS pixels per unit seats can be picked here. */
  get pickable() {
    return matchMedia('(pointer: coarse)').matches ? FINGER : PICKABLE;
  }

  /** Shows one section, so large that its seats can be picked; a point of it where it is too large. @param {import('./venue.js').Section} section @param {number[]} [at] */
  lookAt(section, at) {
    this.fly(onto(section, this.view, this.venue.bounds, this.pickable, at));
  }

  /** Brings a seat into view where it is not. @param {number} seat */
  reveal(seat) {
    const { x, y, scale, width, height } = this.flight?.to ?? this.view;
    const [dx, dy] = [this.venue.x[seat] - x, this.venue.y[seat] - y];
    const near = Math.abs(dx) * scale < width * 0.42 && Math.abs(dy) * scale < height * 0.42;
    if (near && scale > 8) return;
    const to = { ...this.view, x: this.venue.x[seat], y: this.venue.y[seat], scale: Math.max(scale, 20) };
    this.fly(kept(to, this.venue.bounds));
  }

  /** Marks a section as open. @param {import('./venue.js').Section | null} section */
  mark(section) {
    this.open = section;
    this.#mark();
  }

  /** Marks the seat under the pointer or the focus; -1 for none. @param {number} seat */
  point(seat) {
    if (seat === this.hover) return;
    this.hover = seat;
    this.#mark();
  }

  /** Whether the middle is marked, for who moves the map by keys. @param {boolean} aimed */
  cross(aimed) {
    this.aimed = aimed;
    this.#mark();
  }

  /** The seat there on the screen, or -1. @param {number} left @param {number} top */
  seatAt(left, top) {
    const [x, y] = toPlan(this.view, left, top);
    return seatAt(this.venue, x, y);
  }

  /** The section there on the screen, or null. @param {number} left @param {number} top */
  sectionAt(left, top) {
    const [x, y] = toPlan(this.view, left, top);
    return sectionAt(this.venue, x, y);
  }

  #ask() {
    if (this.frame) return;
    this.frame = requestAnimationFrame((now) => {
      this.frame = 0;
      this.#draw(now);
    });
  }

  /** @param {number} now */
  #draw(now) {
    if (this.flight) {
      const { from, to, begun } = this.flight;
      const part = Math.min(1, Math.max(0, (now - begun) / FLIGHT_MS));
      if (part === 1) this.flight = null;
      this.#aim(part === 1 ? to : between(from, to, part));
    }
    if (this.due.seats) this.#drawSeats();
    else if (this.due.squares.size > 0) this.#drawSquares();
    if (this.due.marks) drawMarks(this);
    this.due = { seats: false, marks: false, squares: new Set() };
    if (this.flight) this.#ask();
  }

  #drawSeats() {
    this.raster.aim(this.view, this.ratio, this.paint.looks);
    this.raster.paint(this.venue, this.choice.kinds);
    this.seats.getContext('2d')?.putImageData(this.image, 0, 0);
  }

  #drawSquares() {
    const context = this.seats.getContext('2d');
    for (const seat of this.due.squares) {
      const square = this.raster.repaint(this.venue, this.choice.kinds, seat);
      if (!square) continue;
      const { left, top, side } = square;
      context?.putImageData(this.image, 0, 0, left, top, side, side);
    }
  }
}

/** @param {HTMLElement} host @param {string} name */
function layer(host, name) {
  const canvas = document.createElement('canvas');
  canvas.className = name;
  canvas.setAttribute('aria-hidden', 'true');
  host.append(canvas);
  return canvas;
}
