// @ts-check
/** Draws a venue from its sections: rows are arcs around the stage, colours are prices. */

/** @typedef {import('../onsale/types.d.ts').NewSection} Section */

/** Half the angle of a full row. */
const HALF_ANGLE = Math.PI / 3;
/** Up to this number of sections, each has its own rows. More sections share rows. */
const OWN_ROWS_UP_TO = 5;
/** Space between two tiers, in rows. */
const TIER_GAP = 2;

/**
 * A section with its first row and its part of the angle.
 * @typedef {{ section: Section, first: number, from: number, to: number }} Placed
 */

/** The colour index of a price; the highest price has 0. @param {number} price @param {number[]} prices */
export const bandOf = (price, prices) => prices.indexOf(price) % 6;

/** The different prices, highest first. @param {Section[]} sections */
export const pricesOf = (sections) => [...new Set(sections.map(({ seat_price }) => seat_price))].sort((a, b) => b - a);

/**
 * Places sections in tiers.
 * @param {Section[]} sections
 * @returns {{ placed: Placed[], rows: number }}
 */
export function placeSections(sections) {
  const each = sections.length <= OWN_ROWS_UP_TO ? 1 : Math.ceil(Math.sqrt(sections.length));
  /** @type {Placed[]} */
  const placed = [];
  let first = 0;
  for (let at = 0; at < sections.length; at += each) {
    const tier = sections.slice(at, at + each);
    const all = tier.reduce((sum, { seats_per_row }) => sum + seats_per_row, 0);
    const widest = Math.max(...sections.map(({ seats_per_row }) => seats_per_row));
    // A short row is narrower than the widest one.
    const span = each === 1 ? Math.max(0.35, Math.min(1, all / widest)) : 1;
    let from = -span;
    for (const section of tier) {
      const to = from + (2 * span * section.seats_per_row) / all;
      placed.push({ section, first, from, to });
      from = to;
    }
    first += Math.max(...tier.map(({ rows }) => rows)) + TIER_GAP;
  }
  return { placed, rows: Math.max(1, first - TIER_GAP) };
}

/** @param {CanvasRenderingContext2D} pen @param {Placed} placed @param {{ x: number, y: number, near: number, step: number }} at */
function drawSection(pen, { section, first, from, to }, { x, y, near, step }) {
  const air = to - from < 1.99 ? 0.02 : 0;
  const [low, high] = [(from + air) * HALF_ANGLE, (to - air) * HALF_ANGLE];
  for (let row = 0; row < section.rows; row += 1) {
    const radius = near + (first + row + 0.5) * step;
    const between = ((high - low) * radius) / section.seats_per_row;
    const size = Math.min(step, between) * 0.72;
    if (size < 1.2) {
      // Seats too small to tell apart are drawn as a band.
      pen.beginPath();
      pen.lineWidth = Math.max(0.6, step * 0.75);
      pen.arc(x, y, radius, Math.PI / 2 - high, Math.PI / 2 - low);
      pen.stroke();
      continue;
    }
    for (let seat = 0; seat < section.seats_per_row; seat += 1) {
      const angle = low + ((seat + 0.5) / section.seats_per_row) * (high - low);
      pen.beginPath();
      pen.arc(x + radius * Math.sin(angle), y + radius * Math.cos(angle), size / 2, 0, 2 * Math.PI);
      pen.fill();
    }
  }
}

/**
 * Draws a venue.
 * @param {HTMLCanvasElement} canvas
 * @param {Section[]} sections
 * @param {string} stage the label of the stage
 */
export function drawPlan(canvas, sections, stage) {
  const style = getComputedStyle(canvas);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim() || '#888';
  const width = canvas.clientWidth || 600;
  const far = (width / 2 - 8) / Math.sin(HALF_ANGLE);
  const height = Math.round(far + 30);
  const scale = window.devicePixelRatio || 1;
  canvas.style.blockSize = `${height}px`;
  [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.scale(scale, scale);
  const [x, y, near] = [width / 2, 12, far * 0.3];
  pen.fillStyle = colour('--plan-stage');
  pen.beginPath();
  pen.arc(x, y, near * 0.7, Math.PI / 2 - HALF_ANGLE, Math.PI / 2 + HALF_ANGLE);
  pen.lineTo(x, y);
  pen.fill();
  pen.fillStyle = colour('--plan-ink');
  pen.font = `600 ${Math.max(11, width / 48)}px ${style.fontFamily}`;
  pen.textAlign = 'center';
  pen.fillText(stage, x, y + near * 0.48);
  const prices = pricesOf(sections);
  const { placed, rows } = placeSections(sections);
  const step = Math.min((far - near) / rows, width / 24);
  for (const one of placed) {
    pen.fillStyle = colour(`--plan-${bandOf(one.section.seat_price, prices) + 1}`);
    pen.strokeStyle = pen.fillStyle;
    drawSection(pen, one, { x, y, near, step });
  }
}
