// @ts-check
/** `/holds/{id}`: paying for held seats before the hold expires. */
import './lib/frame.js';
import { OnsaleError } from './onsale.js';
import { announce } from './lib/announce.js';
import { everySecond, msUntil } from './lib/clock.js';
import { confirm } from './lib/dialog.js';
import { $, setChildren } from './lib/dom.js';
import { page } from './lib/page.js';
import { retry } from './lib/retry.js';
import { currentSession, ensureSignedIn, onSessionChange, onsale } from './lib/session.js';
import { errorText, countdown, t } from './lib/text.js';
import { loadPayments, payHold } from './checkout/pay.js';
import { notFound, ended, failed, missingFor, receipt, signIn, waiting } from './checkout/views.js';
import { loadLabels } from './seats/labels.js';

/** @import * as Api from './onsale/types.d.ts' */

/** The time left is announced at these times, in ms. */
const ANNOUNCE_MS = [120_000, 60_000, 30_000, 10_000];

const id = page.hold_id;
/** Other tabs of this browser that show the same hold. */
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel(`onsale.hold.${id}`) : null;
const host = $('#checkout');

/**
 * @typedef {object} Details
 * @property {Api.HoldView} hold
 * @property {Api.Schedule | null} schedule null if it could not be loaded
 * @property {Api.Concert | null} concert null if it could not be loaded
 * @property {Map<number, import('./seats/labels.js').Label>} labels
 * @property {number | null} balance null if unknown
 * @property {Api.Payment[]} payments
 * @property {number} charged points added with the payment that this tab made
 */

/** @type {Details | null} */
let details = null;
/** Whether a payment is in progress, and whether its answer is late. */
const payState = { paying: false, unsure: false };
let loading = 0;

/** Loads everything and shows it. */
async function load() {
  const turn = ++loading;
  if (!currentSession())
    return setChildren(
      host,
      signIn(async () => (await ensureSignedIn()) && load()),
    );
  try {
    const hold = await retry(() => onsale.getHold(id), { onError: (error) => details ?? setChildren(host, failed(error)) });
    const found = await loadDetails(hold);
    if (turn !== loading) return undefined;
    const same = details !== null && fingerprint(details) === fingerprint(found);
    details = { ...found, charged: details?.charged ?? 0 };
    // Nothing is redrawn unless it changed, so that the focus stays.
    if (!same) draw();
  } catch (error) {
    if (turn !== loading) return undefined;
    const { status } = OnsaleError.from(error);
    if (status === 401)
      return setChildren(
        host,
        signIn(async () => (await ensureSignedIn()) && load()),
      );
    setChildren(host, status === 404 ? notFound() : failed(error, load));
  }
  return undefined;
}

/**
 * Loads what belongs to a hold: the concert, the seats, the balance and the payments.
 * @param {Api.HoldView} hold
 * @returns {Promise<Details>}
 */
async function loadDetails(hold) {
  const [{ schedule_id, concert_id }] = hold.reservations;
  // The page is shown even if one of these can't be loaded.
  /** @template Answer @param {Promise<Answer>} call @returns {Promise<Answer | null>} */
  const orNull = (call) => call.catch(() => null);
  const [schedule, concert, labels, points, payments] = await Promise.all([
    orNull(onsale.schedule(schedule_id)),
    orNull(onsale.concert(concert_id)),
    loadLabels(hold.reservations),
    orNull(onsale.points()),
    hold.status === 'COMPLETE' ? orNull(loadPayments(hold)) : [],
  ]);
  return { hold, schedule, concert, labels, balance: points?.amount ?? null, payments: payments ?? [], charged: 0 };
}

/** The values that the page depends on, as a text. @param {Details} details */
const fingerprint = ({ hold, balance, payments }) => JSON.stringify([hold.status, hold.reservations, balance, payments]);

/** Draws the page. Keeps the focus if its element still exists. */
function draw() {
  if (!details) return;
  const { status } = details.hold;
  const focused = document.activeElement?.id;
  if (status === 'COMPLETE') setChildren(host, receipt(details));
  else if (status === 'PAYMENT_WAITING') setChildren(host, waiting(details, payState, { pay, giveBack }));
  else setChildren(host, ended(details));
  if (focused) document.getElementById(focused)?.focus();
  tick();
}

/** Pays and adds the missing points, as shown. The service checks the hold and the balance again. */
async function pay() {
  if (!details || payState.paying) return;
  const charge = missingFor(details);
  payState.paying = true;
  draw();
  const outcome = await payHold(details.hold, charge, () => {
    payState.unsure = true;
    draw();
  });
  Object.assign(payState, { paying: false, unsure: false });
  if ('balance' in outcome) {
    details.balance = outcome.balance;
    draw();
    announce(t('checkout.short.announce'), { urgent: true });
    return;
  }
  if ('paid' in outcome) {
    details.hold = { ...details.hold, status: 'COMPLETE' };
    details.balance = outcome.paid.balance;
    details.payments = outcome.paid.payments;
    details.charged = outcome.paid.charged ?? 0;
    draw();
    tabs?.postMessage('changed');
    announceState(t('checkout.paid'));
    return;
  }
  announce(errorText(outcome.error), { urgent: true });
  await load();
  if (details?.hold.status === 'COMPLETE') announceState(t('checkout.paid'));
  if (details?.hold.status === 'PAYMENT_WAITING') $('#trouble').textContent = errorText(outcome.error);
}

/** Announces a new state of the page and moves the focus to its heading. @param {string} text */
function announceState(text) {
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
    announceState(t('checkout.end.cancelled'));
  } catch (error) {
    announce(errorText(error), { urgent: true });
    await load();
    if (details?.hold.status === 'PAYMENT_WAITING') $('#trouble').textContent = errorText(error);
  }
}

let lastAnnounced = Infinity;
let expiring = false;

/** Once a second: the time left, and the end. */
function tick() {
  if (details?.hold.status !== 'PAYMENT_WAITING') return;
  const left = msUntil(details.hold.expires_at);
  const clock = $('#left');
  if (!clock) return;
  clock.textContent = countdown(left);
  const bar = /** @type {HTMLProgressElement | null} */ ($('#left-bar'));
  if (bar) bar.value = Math.max(0, left);
  $('#time').classList.toggle('urgent', left < 60_000);
  const due = ANNOUNCE_MS.filter((at) => left <= at).at(-1) ?? Infinity;
  if (due < lastAnnounced && left > 0) announce(t('checkout.left.announce', { time: countdown(left) }), { urgent: due <= 60_000 });
  lastAnnounced = due;
  if (left <= 0 && !expiring && !payState.paying) {
    expiring = true;
    onTimeUp().finally(() => (expiring = false));
  }
}

/** When the time is up, loads the hold's final state. */
async function onTimeUp() {
  await load();
  if (details?.hold.status === 'EXPIRED') announceState(t('checkout.end.expired'));
}

everySecond(tick);
onSessionChange(load);
// Another tab or device may have paid meanwhile.
const reload = () => details !== null && !payState.paying && load();
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && reload());
window.addEventListener('focus', reload);
tabs?.addEventListener('message', reload);
window.addEventListener('pageshow', (event) => event.persisted && load());
load();
