// @ts-check
/** `/holds/{id}`: paying for held seats before their time is over. */
import './lib/frame.js';
import { announce } from './lib/announce.js';
import { everySecond, until } from './lib/clock.js';
import { confirm } from './lib/dialog.js';
import { $, fill } from './lib/dom.js';
import { page } from './lib/page.js';
import { patiently } from './lib/patience.js';
import { current, ensure, onSession, onsale } from './lib/session.js';
import { errorText, countdown, t } from './lib/text.js';
import { paymentsOf, settle } from './checkout/pay.js';
import { absent, ended, failed, missingFor, receipt, signIn, waiting } from './checkout/views.js';
import { labelsOf } from './seats/labels.js';

/** Listeners are told when so much is left, in ms. */
const TOLD_MS = [120_000, 60_000, 30_000, 10_000];

const id = page.hold_id;
/** Other tabs of this browser that show the same hold. */
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel(`onsale.hold.${id}`) : null;
const host = $('#checkout');

/**
 * @typedef {object} Known
 * @property {any} hold
 * @property {any} schedule
 * @property {any} concert
 * @property {Map<number, import('./seats/labels.js').Label>} labels
 * @property {number | null} balance null: not known
 * @property {any[]} payments
 * @property {number} charged points charged with the payment that this tab has made
 */

/** @type {Known | null} */
let known = null;
/** Whether a payment is on its way, and whether its answer has been missing for long. */
const way = { paying: false, unsure: false };
let loading = 0;

/** Looks everything up, and shows it. */
async function load() {
  const turn = ++loading;
  if (!current()) return fill(host, signIn(async () => (await ensure()) && load()));
  try {
    const hold = await patiently(() => onsale.getHold(id), (error) => known ?? fill(host, failed(error)));
    const found = await around(hold);
    if (turn !== loading) return undefined;
    const same = known !== null && face(known) === face(found);
    known = { ...found, charged: known?.charged ?? 0 };
    // What is being typed is not taken away for nothing.
    if (!same) draw();
  } catch (error) {
    if (turn !== loading) return undefined;
    if (error.status === 401) return fill(host, signIn(async () => (await ensure()) && load()));
    fill(host, error.status === 404 ? absent() : failed(error, load));
  }
  return undefined;
}

/** What a hold is for, and what there is to pay it with. @param {any} hold @returns {Promise<Known>} */
async function around(hold) {
  const [{ schedule_id, concert_id }] = hold.reservations;
  // What only makes the page nicer must not keep it from being shown.
  const maybe = (/** @type {Promise<any>} */ call) => call.catch(() => null);
  const [schedule, concert, labels, points, payments] = await Promise.all([
    maybe(onsale.schedule(schedule_id)),
    maybe(onsale.concert(concert_id)),
    labelsOf(hold.reservations),
    maybe(onsale.points()),
    hold.status === 'COMPLETE' ? maybe(paymentsOf(hold)) : [],
  ]);
  return { hold, schedule, concert, labels, balance: points?.amount ?? null, payments: payments ?? [], charged: 0 };
}

/** All that what is shown depends on. @param {Known} of */
const face = ({ hold, balance, payments }) => JSON.stringify([hold.status, hold.reservations, balance, payments]);

/** Shows what is known. The focus stays where it is, as far as that is still there. */
function draw() {
  if (!known) return;
  const { status } = known.hold;
  const focused = document.activeElement?.id;
  if (status === 'COMPLETE') fill(host, receipt(known));
  else if (status === 'PAYMENT_WAITING') fill(host, waiting(known, way, { pay, giveBack }));
  else fill(host, ended(known));
  if (focused) document.getElementById(focused)?.focus();
  tick();
}

/** Pays, and charges what is missing, as it is shown. The service looks at the hold and at the balance once more. */
async function pay() {
  if (!known || way.paying) return;
  const charge = missingFor(known);
  way.paying = true;
  draw();
  const outcome = await settle(known.hold, charge, () => {
    way.unsure = true;
    draw();
  });
  Object.assign(way, { paying: false, unsure: false });
  if (outcome.short) {
    known.balance = outcome.short.balance;
    draw();
    announce(t('checkout.short.told'), { urgent: true });
    return;
  }
  if (outcome.paid) {
    known.hold = { ...known.hold, status: 'COMPLETE' };
    known.balance = outcome.paid.balance;
    known.payments = outcome.paid.payments;
    known.charged = outcome.paid.charged ?? 0;
    draw();
    tabs?.postMessage('changed');
    arrived(t('checkout.paid'));
    return;
  }
  announce(errorText(outcome.error), { urgent: true });
  await load();
  if (known?.hold.status === 'COMPLETE') arrived(t('checkout.paid'));
  if (known?.hold.status === 'PAYMENT_WAITING') $('#trouble').textContent = errorText(outcome.error);
}

/** A new state of the page: read out, and the focus is at its beginning. @param {string} text */
function arrived(text) {
  announce(text, { urgent: true });
  $('h1', host)?.focus();
  scrollTo(0, 0);
}

async function giveBack() {
  const sure = await confirm({
    title: t('checkout.back.title'),
    body: t('checkout.back.body'),
    yes: t('checkout.back.yes'),
    no: t('checkout.back.no'),
    danger: true,
  });
  if (!sure) return;
  try {
    await onsale.release(id);
    tabs?.postMessage('changed');
    await load();
    arrived(t('checkout.end.cancelled'));
  } catch (error) {
    announce(errorText(error), { urgent: true });
    await load();
    if (known?.hold.status === 'PAYMENT_WAITING') $('#trouble').textContent = errorText(error);
  }
}

let told = Infinity;
let asked = false;

/** Once a second: what is left, and the end. */
function tick() {
  if (known?.hold.status !== 'PAYMENT_WAITING') return;
  const left = until(known.hold.expires_at);
  const clock = $('#left');
  if (!clock) return;
  clock.textContent = countdown(left);
  const bar = /** @type {HTMLProgressElement | null} */ ($('#left-bar'));
  if (bar) bar.value = Math.max(0, left);
  $('#time').classList.toggle('urgent', left < 60_000);
  const due = TOLD_MS.filter((at) => left <= at).at(-1) ?? Infinity;
  if (due < told && left > 0) announce(t('checkout.left.told', { time: countdown(left) }), { urgent: due <= 60_000 });
  told = due;
  if (left <= 0 && !asked && !way.paying) {
    asked = true;
    over().finally(() => (asked = false));
  }
}

/** The time is up: the service says what became of it. */
async function over() {
  await load();
  if (known?.hold.status === 'EXPIRED') arrived(t('checkout.end.expired'));
}

everySecond(tick);
onSession(load);
// Another tab, or another device, may have paid meanwhile.
const again = () => known !== null && !way.paying && load();
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && again());
window.addEventListener('focus', again);
tabs?.addEventListener('message', again);
window.addEventListener('pageshow', (event) => event.persisted && load());
load();
