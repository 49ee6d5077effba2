// @ts-check
/**
 * The seat map: two canvases, the seats below and the marks above them.
 *
 * All seats are drawn when the view changes. When seats change, only their squares are drawn. It draws
 * at most once per frame, and only if something changed.
 */
import { readPaint } from './looks.js';
import { drawMarks } from './marks.js';
import { Raster } from './raster.js';
import { seatAt, sectionAt } from './venue.js';
import { interpolateView, fitView, FINGER_FROM, clampView, viewOfSection, MOUSE_FROM, toPlan } from './view.js';

/** Maximum number of pixels, for the memory of phones. A larger map is drawn at a lower resolution. */
const MAX_PIXELS = 6_000_000;
/** Above this number of squares, drawing all seats is faster. */
const MAX_SQUARES = 600;
/** Duration of a flight to a section, in ms. */
const FLIGHT_MS = 320;
/** Seat numbers are drawn when the map has not moved for this long, in ms. */
const SETTLE_MS = 90;

/** @typedef {import('./view.js').View} View */

export class SeatMap {
  /**
   * @param {HTMLElement} host the element that the map fills
   * @param {import('./choice.js').Choice} choice
   */
  constructor(host, choice) {
    this.host = host;
    this.choice = choice;
    this.venue = choice.venue;
    this.seats = addLayer(host, 'map-seats');
    this.marks = addLayer(host, 'map-marks');
    this.paint = readPaint(host);
    this.ratio = 1;
    /** @type {View} */
    this.view = fitView(this.venue.bounds, 1, 1);
    this.showsAll = true;
    this.raster = new Raster(0, 0, new Uint32Array(0));
    this.image = new ImageData(1, 1);
    /** The marks: the open section, the seat under the pointer or the focus, and a cross in the middle. */
    this.openSection = /** @type {import('./venue.js').Section | null} */ (null);
    this.hoveredSeat = -1;
    this.showsCross = false;
    /** What the next frame has to draw. */
    this.due = { seats: true, marks: true, squares: /** @type {Set<number>} */ (new Set()) };
    this.frame = 0;
    this.moving = false;
    this.settleTimer = 0;
    /** @type {{from: View, to: View, begun: number} | null} */
    this.flight = null;
    this.#follow(choice);
    new ResizeObserver(() => this.#resize()).observe(host);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#onThemeChanged());
    this.#watchRatio();
    this.#resize();
  }

  /** @param {import('./choice.js').Choice} choice */
  #follow(choice) {
    choice.on('seats', (seats) => this.#onSeatsChanged(seats));
    choice.on('picks', () => this.#requestMarks());
  }

  /** Shows another venue in the same place. @param {import('./choice.js').Choice} choice */
  show(choice) {
    [this.choice, this.venue] = [choice, choice.venue];
    [this.openSection, this.hoveredSeat, this.flight] = [null, -1, null];
    this.#follow(choice);
    const { width, height } = this.view;
    this.#applyView(this.showsAll ? fitView(this.venue.bounds, width, height) : clampView(this.view, this.venue.bounds));
  }

  /** Redraws when the window moves to a screen with another pixel ratio. */
  #watchRatio() {
    const now = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    const changed = () => {
      this.#resize();
      this.#watchRatio();
    };
    now.addEventListener('change', changed, { once: true });
  }

  /** @param {number[]} seats */
  #onSeatsChanged(seats) {
    seats.forEach((seat) => this.due.squares.add(seat));
    if (this.due.squares.size > MAX_SQUARES) this.due.seats = true;
    // The marks contain the counts of free seats.
    if (seats.length > 0) this.#requestMarks();
  }

  #requestMarks() {
    this.due.marks = true;
    this.#requestFrame();
  }

  #onThemeChanged() {
    this.paint = readPaint(this.host);
    this.due.seats = true;
    this.#requestMarks();
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (width === 0 || height === 0) return;
    this.ratio = Math.min(devicePixelRatio, Math.sqrt(MAX_PIXELS / (width * height)));
    const [across, down] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    for (const canvas of [this.seats, this.marks]) {
      canvas.width = across;
      canvas.height = down;
    }
    this.image = new ImageData(across, down);
    this.raster = new Raster(across, down, new Uint32Array(this.image.data.buffer));
    const view = { ...this.view, width, height };
    this.#applyView(this.showsAll ? fitView(this.venue.bounds, width, height) : clampView(view, this.venue.bounds));
  }

  /** @param {View} view */
  #applyView(view) {
    this.view = view;
    this.due.seats = true;
    this.moving = true;
    clearTimeout(this.settleTimer);
    this.settleTimer = setTimeout(() => {
      this.moving = false;
      this.#requestMarks();
    }, SETTLE_MS);
    this.#requestMarks();
  }

  /** Shows a view at once. @param {View} view */
  setView(view) {
    this.flight = null;
    this.showsAll = false;
    this.#applyView(view);
  }

  /** Moves to a view, animated. @param {View} to */
  flyTo(to) {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return this.setView(to);
    this.showsAll = false;
    this.flight = { from: this.view, to, begun: performance.now() };
    this.#requestFrame();
  }

  /** Moves to the whole venue. */
  flyToAll() {
    this.flyTo(fitView(this.venue.bounds, this.view.width, this.view.height));
    this.showsAll = true;
  }

  /** From this scale on, seats can be picked on this device, in CSS pixels per unit. */
  get pickable() {
    return matchMedia('(pointer: coarse)').matches ? FINGER_FROM : MOUSE_FROM;
  }

  /**
   * Moves to a section, at a scale at which its seats can be picked. `at` is the point to show if the section is too large.
   * @param {import('./venue.js').Section} section @param {number[]} [at]
   */
  flyToSection(section, at) {
    this.flyTo(viewOfSection(section, this.view, this.venue.bounds, this.pickable, at));
  }

  /** Moves the map if a seat is not visible. @param {number} seat */
  reveal(seat) {
    const { x, y, scale, width, height } = this.flight?.to ?? this.view;
    const [dx, dy] = [this.venue.x[seat] - x, this.venue.y[seat] - y];
    const near = Math.abs(dx) * scale < width * 0.42 && Math.abs(dy) * scale < height * 0.42;
    if (near && scale > 8) return;
    const to = { ...this.view, x: this.venue.x[seat], y: this.venue.y[seat], scale: Math.max(scale, 20) };
    this.flyTo(clampView(to, this.venue.bounds));
  }

  /** Sets the open section. @param {import('./venue.js').Section | null} section */
  setOpenSection(section) {
    this.openSection = section;
    this.#requestMarks();
  }

  /** Sets the seat under the pointer or the focus; -1 for none. @param {number} seat */
  setHovered(seat) {
    if (seat === this.hoveredSeat) return;
    this.hoveredSeat = seat;
    this.#requestMarks();
  }

  /** Shows or hides the cross in the middle, for readers who move the map by keys. @param {boolean} aimed */
  setAimed(aimed) {
    this.showsCross = aimed;
    this.#requestMarks();
  }

  /** The seat at a point of the screen, or -1. @param {number} left @param {number} top */
  seatAt(left, top) {
    const [x, y] = toPlan(this.view, left, top);
    return seatAt(this.venue, x, y);
  }

  /** The section at a point of the screen, or null. @param {number} left @param {number} top */
  sectionAt(left, top) {
    const [x, y] = toPlan(this.view, left, top);
    return sectionAt(this.venue, x, y);
  }

  #requestFrame() {
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
      this.#applyView(part === 1 ? to : interpolateView(from, to, part));
    }
    if (this.due.seats) this.#drawSeats();
    else if (this.due.squares.size > 0) this.#drawSquares();
    if (this.due.marks) drawMarks(this);
    this.due = { seats: false, marks: false, squares: new Set() };
    if (this.flight) this.#requestFrame();
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
function addLayer(host, name) {
  const canvas = document.createElement('canvas');
  canvas.className = name;
  canvas.setAttribute('aria-hidden', 'true');
  host.append(canvas);
  return canvas;
}
