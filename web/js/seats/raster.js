// @ts-check
/**
 * Draws seats as pixels into an array. Uses no document.
 *
 * Drawing 50,000 shapes with canvas calls takes longer than a frame. Copying 50,000 small pictures of
 * a seat into an array takes a few milliseconds. There is one picture per kind of seat and subpixel
 * position (up to 16), created anew for each scale.
 */

/** Shapes. The kinds of seats differ by shape as well as by colour, for people who can't tell colours apart. */
export const FULL = 0;
export const RING = 1;
export const SPECK = 2;

/** A seat's width, in units of the plan. */
const SEAT_WIDTH = 0.8;
/** Pictures smaller than this many pixels exist in several subpixel positions. */
const SUBPIXEL_BELOW = 12;

/**
 * @typedef {{red: number, green: number, blue: number, alpha: number, shape: number}} Look
 * @typedef {{at: Int32Array, value: Uint32Array}} Picture `at` holds offsets from the seat's pixel
 */

export class Raster {
  /** @param {number} width @param {number} height @param {Uint32Array} pixels */
  constructor(width, height, pixels) {
    this.width = width;
    this.height = height;
    this.pixels = pixels;
    /** @type {Look[]} */
    this.looks = [];
    /** Distance from the seat's pixel to the edge of its picture, in pixels. */
    this.reach = 0;
    this.steps = 1;
    /** @type {Picture[][]} */
    this.pictures = [];
    /** @type {Int32Array[]} */
    this.erasers = [];
    this.factor = 1;
    this.left = 0;
    this.top = 0;
  }

  /**
   * Sets the part of the plan to draw, and the number of pixels per CSS pixel.
   * @param {import('./view.js').View} view @param {number} ratio @param {Look[]} looks
   */
  aim(view, ratio, looks) {
    const factor = view.scale * ratio;
    this.left = view.x - this.width / 2 / factor;
    this.top = view.y - this.height / 2 / factor;
    if (factor === this.factor && looks === this.looks) return;
    this.factor = factor;
    this.looks = looks;
    const size = Math.max(1, factor * SEAT_WIDTH);
    this.reach = Math.ceil(size / 2 + 1);
    this.steps = size < SUBPIXEL_BELOW ? 4 : 1;
    this.pictures = looks.map((look) => this.#positions((x, y) => createPicture(this, look, size, x, y)));
    this.erasers = this.#positions((x, y) => createPicture(this, ERASED, size, x, y).at);
  }

  /**
   * @template T
   * @param {(x: number, y: number) => T} make @returns {T[]}
   */
  #positions(make) {
    const { steps } = this;
    return Array.from({ length: steps * steps }, (_, nth) => {
      const part = (/** @type {number} */ step) => (steps === 1 ? 0 : (step + 0.5) / steps - 0.5);
      return make(part(nth % steps), part(Math.floor(nth / steps)));
    });
  }

  /**
   * Draws all seats.
   * @param {import('./venue.js').Venue} venue @param {Uint8Array} kinds
   */
  paint(venue, kinds) {
    this.pixels.fill(0);
    for (let seat = 0; seat < venue.count; seat++) this.#draw(venue, seat, this.pictures[kinds[seat]]);
  }

  /**
   * Draws one seat again. Returns its square (left and top pixel, side length), or null if it is not
   * visible.
   * @param {import('./venue.js').Venue} venue @param {Uint8Array} kinds @param {number} seat
   */
  repaint(venue, kinds, seat) {
    const centre = this.#draw(venue, seat, this.pictures[kinds[seat]], this.erasers);
    if (centre < 0) return null;
    const { reach, width } = this;
    const [x, y] = [centre % width, Math.floor(centre / width)];
    return { left: x - reach, top: y - reach, side: 2 * reach + 1 };
  }

  /**
   * @param {import('./venue.js').Venue} venue @param {number} seat @param {Picture[]} pictures
   * @param {Int32Array[]} [erasers] @returns {number} the seat's pixel, or -1
   */
  #draw(venue, seat, pictures, erasers) {
    const { width, height, reach, steps, pixels } = this;
    const x = (venue.x[seat] - this.left) * this.factor;
    const y = (venue.y[seat] - this.top) * this.factor;
    const [right, down] = [Math.floor(x), Math.floor(y)];
    if (right < -reach || down < -reach || right >= width + reach || down >= height + reach) return -1;
    const nth = Math.floor((y - down) * steps) * steps + Math.floor((x - right) * steps);
    const { at, value } = pictures[nth];
    const centre = down * width + right;
    const inside = right >= reach && down >= reach && right < width - reach && down < height - reach;
    if (!inside) {
      this.#clipped(right, down, pictures[nth], erasers?.[nth]);
      return right >= 0 && down >= 0 && right < width && down < height ? centre : -1;
    }
    if (erasers) for (const offset of erasers[nth]) pixels[centre + offset] = 0;
    for (let n = 0; n < at.length; n++) pixels[centre + at[n]] = value[n];
    return centre;
  }

  /**
   * Draws a picture that is partly outside.
   * @param {number} right @param {number} down @param {Picture} picture @param {Int32Array} [eraser]
   */
  #clipped(right, down, { at, value }, eraser) {
    const { width, height, reach, pixels } = this;
    const write = (/** @type {number} */ offset, /** @type {number} */ colour) => {
      const dy = Math.round(offset / width);
      const [x, y] = [right + offset - dy * width, down + dy];
      if (x >= 0 && y >= 0 && x < width && y < height) pixels[y * width + x] = colour;
    };
    // If the map is narrower than a picture, an offset is ambiguous.
    if (width <= 2 * reach + 1) return;
    eraser?.forEach((offset) => write(offset, 0));
    at.forEach((offset, n) => write(offset, value[n]));
  }
}

/** @type {Look} */
const ERASED = { red: 0, green: 0, blue: 0, alpha: 1, shape: FULL };

/**
 * Creates the picture of a seat whose middle is `x`, `y` away from the middle of its pixel.
 * @param {Raster} raster @param {Look} look @param {number} size in pixels
 * @param {number} x @param {number} y @returns {Picture}
 */
function createPicture({ reach, width }, look, size, x, y) {
  /** @type {[number[], number[]]} */
  const [at, value] = [[], []];
  const rgb = ((look.blue << 16) | (look.green << 8) | look.red) >>> 0;
  for (let down = -reach; down <= reach; down++) {
    for (let right = -reach; right <= reach; right++) {
      const covered = coverage(look.shape, size, right - x, down - y) * look.alpha;
      const alpha = Math.round(covered * 255);
      if (alpha === 0) continue;
      at.push(down * width + right);
      value.push((rgb | (alpha << 24)) >>> 0);
    }
  }
  return { at: Int32Array.from(at), value: Uint32Array.from(value) };
}

/**
 * How much of the pixel at `x`, `y` from the middle is covered, 0 to 1.
 * @param {number} shape @param {number} size @param {number} x @param {number} y
 */
function coverage(shape, size, x, y) {
  const whole = rounded(size, x, y);
  if (shape === FULL) return whole;
  if (shape === SPECK) return rounded(Math.max(1, size * 0.42), x, y);
  // A ring of less than 4 pixels is drawn as a paler seat.
  const line = Math.max(1, size * 0.16);
  return size < 4 ? whole * 0.5 : Math.max(0, whole - rounded(size - 2 * line, x, y));
}

/** Coverage of a square of this size with round corners. @param {number} size @param {number} x @param {number} y */
function rounded(size, x, y) {
  const corner = size * 0.34;
  const [right, down] = [Math.abs(x) - size / 2 + corner, Math.abs(y) - size / 2 + corner];
  const outside = Math.hypot(Math.max(right, 0), Math.max(down, 0)) + Math.min(Math.max(right, down), 0);
  return Math.min(1, Math.max(0, corner - outside + 0.5));
}
