// onsale as the shop under test.

import http from 'k6/http';
import { fault, unexpectedAnswers } from '../../lib/invariants/metrics.js';
import { BASE } from '../address.js';
import { books } from './books.js';
import { OnsaleBuyer } from './buyer.js';
import { read } from './client.js';
import { cleanUp, prepare } from './sale.js';
import { adminOf, buyerOf } from './users.js';

/** @import { OnsaleSale as Sale } from './types.d.ts' */

const JOINS_AT_ONCE = 40;

/** @type {import('../../lib/types.d.ts').Shop} */
export const onsale = {
  name: 'onsale',
  prepare,
  books,
  cleanUp,

  /** @param {Sale} sale @param {number} number */
  buyer(sale, number) {
    return new OnsaleBuyer(buyerOf(sale, number), sale);
  },

  /** @param {Sale} sale */
  figures(sale) {
    const admin = adminOf(sale);
    const seen = admin.schedule(sale.schedule);
    const stats = admin.stats(sale.schedule);
    if (seen.code !== null || stats.code !== null) return null;
    const { held, sold, total } = seen.body.seats;
    return { waiting: stats.body.waiting, active: stats.body.active, held, sold, total };
  },

  /** @param {Sale} sale @param {number} count */
  fill(sale, count) {
    for (let first = 0; first < count; first += JOINS_AT_ONCE) {
      const some = Math.min(JOINS_AT_ONCE, count - first);
      const requests = Array.from({ length: some }, (_, index) => joinRequest(sale, first + index));
      for (const answer of http.batch(requests).map((response) => read(response))) {
        if (answer.status !== 201) fault(unexpectedAnswers, `a join: ${answer.status} ${answer.text}`);
      }
    }
  },

  /** @param {Sale} sale */
  board(sale) {
    const { code, body } = buyerOf(sale, 0).board(sale.schedule);
    return code === null ? { waiting: body.waiting, active: body.active, ranks: body.ranks } : null;
  },
};

/** @param {Sale} sale @param {number} number @returns {import('k6/http').BatchRequest} */
function joinRequest(sale, number) {
  const params = { headers: { Authorization: buyerOf(sale, number).bearer }, tags: { name: 'fill' } };
  return { method: 'POST', url: `${BASE}/v1/schedules/${sale.schedule}/queue`, params };
}
