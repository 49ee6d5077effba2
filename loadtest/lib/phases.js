// The phases of a run. One k6 runs the whole. Several runners share a sale in three phases:
//
//   prepare   one k6 creates the sale, and writes it to REPORT_DIR
//   crowd     each runner sends its part of the buyers, and writes its report
//   books     one k6 adds the runners' reports, reads the books, and applies all limits to the sums
//
// PHASE names the phase, RUNNERS the number of runners.

import exec from 'k6/execution';
import { checkBooks } from './invariants/checks.js';
import { buyersDropped, SUMMED, startAtZero } from './invariants/metrics.js';
import { shop } from './shop.js';

/** @import * as Types from './types.d.ts' */
/** @typedef {Types.Sale} Sale */

export const DIRECTORY = __ENV.REPORT_DIR || 'loadtest/report';
const PHASES = ['whole', 'prepare', 'crowd', 'books'];
export const phase = __ENV.PHASE || 'whole';
if (!PHASES.includes(phase)) throw new Error(`PHASE is "${phase}": it must be ${PHASES.join(', ')}`);

const runners = Number(__ENV.RUNNERS || 1);

// k6 writes reports below the current folder, but opens files below the script's, so the path is complete.
const folder = DIRECTORY.startsWith('/') ? DIRECTORY : `${__ENV.PWD ?? '.'}/${DIRECTORY}`;
/** @param {string} name */
const openReport = (name) => JSON.parse(open(`${folder}/${name}`));

/** Name of the file with the prepared sale. */
export const SALE_FILE = 'sale.json';
/** The sale that another k6 prepared. @type {Sale | null} */
const prepared = phase === 'crowd' || phase === 'books' ? openReport(SALE_FILE) : null;
/** @type {Types.Report[]} */
let reports = [];

/** Opens the reports of the runners. Called while the script is loaded, the only time k6 opens files. @param {string} name */
export function openReports(name) {
  if (phase !== 'books') return;
  reports = Array.from({ length: runners }, (_, index) => openReport(`${name}.runner-${index + 1}.json`));
}

/** Which part of a distributed run this is, for the report's name. */
export function part() {
  if (phase !== 'crowd') return phase === 'whole' ? '' : phase;
  return `runner-${runnerNumber()}`;
}

/** The number of this runner, from 1: RUNNER, or the place of its execution segment. */
function runnerNumber() {
  if (__ENV.RUNNER) return __ENV.RUNNER;
  const segment = String(exec.test.options.executionSegment ?? '0:1');
  const [top = '1', bottom = '1'] = (segment.split(':')[1] ?? '1').split('/');
  return Math.round((runners * Number(top)) / Number(bottom));
}

/** Creates the sale of this run, or takes the prepared one. @param {Types.Plan} plan @returns {Sale} */
export function begin(plan) {
  startAtZero();
  return prepared ?? shop.prepare(plan);
}

/** Reads the books after the last buyer, and closes the sale. @param {Sale} sale */
export function end(sale) {
  if (phase === 'prepare' || phase === 'crowd') return;
  for (const report of reports) addReport(report);
  checkBooks(shop.books(sale), sale);
  shop.cleanUp(sale);
}

/** Adds the counters of a runner's report to those of this run. @param {Types.Report} report */
function addReport(report) {
  for (const [name, value] of Object.entries(report.counts)) {
    if (name === 'dropped_iterations') buyersDropped.add(value);
    SUMMED.get(name)?.add(value);
  }
}

/** The reports of the runners, for the report of the whole. */
export const runnerReports = () => reports;

/** The iteration of a phase without buyers. */
export function nothing() {}
