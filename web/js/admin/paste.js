// @ts-check
/** Reads sections that were copied from a spreadsheet: section, rows, seats per row, price. Uses no document. */
import { MAX_NAME, MAX_PER_CALL, MAX_PRICE } from './sections.js';

/** @typedef {import('./sections.js').Section} Section */
/** @typedef {{ line: number, column: number, name: Column, problem: 'missing' | 'name' | 'number' | 'range', max: number }} Mistake `line` and `column` count from 1 */
/** @typedef {'name' | 'rows' | 'seats_per_row' | 'seat_price'} Column */

/** The columns in order, with the bounds of the numbers. @type {[Column, number, number][]} */
const COLUMNS = [
  ['name', 1, MAX_NAME],
  ['rows', 1, MAX_PER_CALL],
  ['seats_per_row', 1, MAX_PER_CALL],
  ['seat_price', 0, MAX_PRICE],
];

/** Splits a line at commas or semicolons outside of quotes. @param {string} line @param {string} separator */
function splitLine(line, separator) {
  /** @type {string[]} */
  const cells = [];
  let [cell, quoted] = ['', false];
  for (let at = 0; at < line.length; at += 1) {
    const sign = line[at];
    if (sign === '"' && quoted && line[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (sign === '"') quoted = !quoted;
    else if (sign === separator && !quoted) {
      cells.push(cell);
      cell = '';
    } else cell += sign;
  }
  return [...cells, cell].map((one) => one.trim());
}

/** Tabs come from spreadsheets, commas and semicolons from files. @param {string} text */
const separatorOf = (text) => (text.includes('\t') ? '\t' : text.includes(';') && !text.includes(',') ? ';' : ',');

/** A whole number, also with separators of thousands and a currency; NaN if it is none. @param {string} cell */
function readNumber(cell) {
  const plain = cell.replace(/[\s\u00a0\u202f₩원]/g, '').replace(/(\d)[,.](?=\d{3}(\D|$))/g, '$1');
  return /^\d+$/.test(plain) ? Number(plain) : NaN;
}

/** @param {string[]} cells @param {number} line @returns {{ section: Section, mistakes: Mistake[] }} */
function readLine(cells, line) {
  /** @type {Section} */
  const section = { name: cells[0] ?? '', rows: 0, seats_per_row: 0, seat_price: 0 };
  /** @type {Mistake[]} */
  const mistakes = [];
  COLUMNS.forEach(([name, min, max], at) => {
    const cell = cells[at] ?? '';
    const wrong = (/** @type {Mistake['problem']} */ problem) => mistakes.push({ line, column: at + 1, name, problem, max });
    if (cell === '') return wrong('missing');
    if (name === 'name') return [...cell].length > max ? wrong('name') : undefined;
    const value = readNumber(cell);
    if (Number.isNaN(value)) return wrong('number');
    if (value < min || value > max) return wrong('range');
    section[name] = value;
  });
  return { section, mistakes };
}

/**
 * Reads sections from text. A first line of headings and empty lines are skipped.
 * @param {string} text
 * @returns {{ sections: Section[], mistakes: Mistake[] }} sections only if there is no mistake
 */
export function readSections(text) {
  const separator = separatorOf(text);
  const lines = text.split(/\r\n|\r|\n/).map((line, at) => ({ cells: splitLine(line, separator), line: at + 1 }));
  const filled = lines.filter(({ cells }) => cells.some((cell) => cell !== ''));
  const [first] = filled;
  const isHead = first && first.cells.length > 1 && first.cells.slice(1).every((cell) => !/\d/.test(cell));
  const read = filled.slice(isHead ? 1 : 0).map(({ cells, line }) => readLine(cells, line));
  const mistakes = read.flatMap((one) => one.mistakes);
  return { sections: mistakes.length > 0 ? [] : read.map(({ section }) => section), mistakes };
}
