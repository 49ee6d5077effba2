/** The parts of the console, and a service that has something to show in each. */
import { callAsOperator, makeSale, refundSale } from './console.mjs';
import { createBuyers, runBuyers } from './crowd.mjs';

/** @typedef {Awaited<ReturnType<typeof fillConsole>>} Filled */

/**
 * Creates a sale with buyers, people who wait and a guest, and another one that is refunded.
 * @param {import('./console.mjs').Service} service @param {string} [title]
 */
export async function fillConsole(service, title = '한여름 밤의 콘서트') {
  const sale = await makeSale(service, { title, queue: { capacity: 3, admit_per_second: 4 } });
  await runBuyers(await createBuyers(service.url, 8), sale.schedule, 20);
  for (const buyer of await createBuyers(service.url, 6)) await buyer.join(sale.schedule);
  const { seats } = await callAsOperator(service, 'GET', `/v1/admin/schedules/${sale.schedule}/seats/layout`);
  const seat = seats.at(-1).id;
  const guest = { name: 'Press: Lee', seat_ids: [seat], reason: 'Review' };
  await callAsOperator(service, 'POST', `/v1/admin/box-office/schedules/${sale.schedule}/guests`, guest, `guest-${seat}`);
  const refunded = await makeSale(service, { title: 'Refunded' });
  const [buyer] = await createBuyers(service.url, 1);
  await buyer.join(refunded.schedule);
  await buyer.buy(refunded.schedule, 2);
  await refundSale(service, refunded.schedule);
  return { ...sale, person: buyer.id, seat };
}

/**
 * Every part: its name, its address, and a selector that matches once it is loaded.
 * @param {Filled} filled @returns {[string, string, string][]}
 */
export const consoleParts = ({ concert, schedule, person, seat }) => [
  ['overview', '/', '.concert'],
  ['concert-new', '/concerts/new', 'form'],
  ['concert', `/concerts/${concert}`, 'table'],
  ['schedule-new', `/concerts/${concert}/schedules/new`, 'form'],
  ['venue', `/schedules/${schedule}/venue`, '.section-line'],
  ['seats', `/schedules/${schedule}/seats`, '.adm-seat'],
  ['settings', `/schedules/${schedule}/settings`, '#console input'],
  ['readiness', `/schedules/${schedule}/readiness`, '.ready-line'],
  ['forecast', `/schedules/${schedule}/forecast`, 'form'],
  ['rehearsal', `/schedules/${schedule}/rehearsal`, '.rehearsal-current'],
  ['live', `/schedules/${schedule}`, '.is-live #chart-errors canvas'],
  ['alerts', `/schedules/${schedule}/alerts`, '.card'],
  ['guests', `/schedules/${schedule}/guests`, 'tbody tr'],
  ['report', `/schedules/${schedule}/report`, '.bars'],
  ['schedule-audit', `/schedules/${schedule}/audit`, '.entry'],
  ['box-office', '/box-office', 'form'],
  ['buyer', `/box-office/buyers/${person}`, '.box-seat'],
  ['seat', `/box-office/seats/${seat}`, '.box-history'],
  ['jobs', '/jobs', '.job'],
  ['people', '/people', 'form'],
  ['person', `/people/${person}`, '.figures'],
  ['audit', '/audit', '.entry'],
  ['health', '/health', '.store'],
  ['nowhere', '/nowhere', 'h1'],
];
