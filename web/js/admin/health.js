// @ts-check
/** The health of the process that answers, its background tasks and the two stores. */
import { announce } from '../lib/announce.js';
import { el, setChildren, setText } from '../lib/dom.js';
import { decimal, duration, hasText, number, t, time } from '../lib/text.js';
import { card, figure, heading, table } from './parts.js';
import { call } from './api.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** Interval between two requests, in ms. */
const INTERVAL_MS = 2000;

/** @param {Api.Health['stores'][number]} store */
function storeCard(store) {
  return el(
    'div',
    { class: `store ${store.up ? 'store-up' : 'store-down'}` },
    el('strong', null, store.store === 'redis' ? 'Redis' : 'PostgreSQL'),
    el('span', { class: `badge ${store.up ? 'badge-open' : 'badge-bad'}` }, t(store.up ? 'admin.health.up' : 'admin.health.down')),
    el(
      'span',
      { class: 'muted' },
      store.up ? t('admin.ms', { value: decimal(store.answer_ms ?? 0) }) : t(`admin.health.down.${store.store}`),
    ),
  );
}

/** @param {Api.LoopHealth} one */
function loopRow(one) {
  const state = one.failed ? 'failed' : one.late ? 'late' : 'fine';
  const key = `admin.loop.${one.name.replaceAll(' ', '_')}`;
  return [
    el('span', null, hasText(key) ? t(key) : one.name, el('span', { class: 'loop-does' }, hasText(`${key}.does`) ? t(`${key}.does`) : '')),
    el('span', { class: `badge ${state === 'fine' ? 'badge-open' : 'badge-bad'}` }, t(`admin.loop.${state}`)),
    one.every_ms < 1000 ? t('admin.ms', { value: number(one.every_ms) }) : duration(one.every_ms / 1000),
    t('admin.ms', { value: decimal(one.took_ms) }),
    time(one.last_run_at, 'exact'),
  ];
}

/** @param {Api.Health} health */
function healthCards(health) {
  const heads = ['name', 'state', 'every', 'took', 'last'].map((name, at) => ({ text: t(`admin.loop.head.${name}`), number: at > 1 }));
  return [
    card(t('admin.health.stores'), el('div', { class: 'stores' }, health.stores.map(storeCard))),
    card(
      t('admin.health.process'),
      el(
        'dl',
        { class: 'figures' },
        figure(t('admin.health.outbox'), number(health.outbox_waiting), t('admin.health.outbox.does')),
        figure(
          t('admin.health.parked'),
          number(health.outbox_parked),
          t(health.outbox_parked > 0 ? 'admin.health.parked.some' : 'admin.health.parked.none'),
        ),
        figure(
          t('admin.health.connections'),
          number(health.connections - health.connections_idle),
          t('admin.health.connections.of', { n: health.connections }),
        ),
        figure(t('admin.health.version'), health.version),
      ),
    ),
    card(t('admin.health.loops'), table(t('admin.health.loops'), heads, health.loops.map(loopRow))),
  ];
}

/** @type {import('../admin.js').Part} */
export async function healthPart(place) {
  const ending = new AbortController();
  const verdict = el('p', { class: 'status' });
  const rest = el('div', { class: 'health' });
  let before = '';
  let lastAt = '';
  const showVerdict = (/** @type {string} */ kind, /** @type {string} */ text) => {
    verdict.dataset.kind = kind;
    setChildren(
      verdict,
      el('span', { class: 'status-dot', 'aria-hidden': 'true' }),
      el('strong', null, text),
      lastAt && el('span', { class: 'status-fresh' }, t('admin.asof', { at: time(lastAt, 'exact') })),
    );
    if (before !== '' && before !== kind) announce(text, { now: true });
    before = kind;
  };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const look = async () => {
    try {
      /** @type {Api.Health} */
      const health = await call('GET', '/v1/admin/health', { signal: ending.signal });
      lastAt = health.server_time;
      setChildren(rest, ...healthCards(health));
      rest.classList.remove('is-old');
      showVerdict(health.well ? 'flowing' : 'bad', t(health.well ? 'admin.health.well' : 'admin.health.ill'));
    } catch {
      if (ending.signal.aborted) return;
      rest.classList.add('is-old');
      showVerdict('bad', t('admin.status.lost'));
    }
    if (!ending.signal.aborted) timer = setTimeout(look, INTERVAL_MS);
  };
  setChildren(place, heading(t('admin.nav.health'), { lead: t('admin.health.lead') }), verdict, rest);
  setText(verdict, t('admin.loading'));
  await look();
  return () => {
    ending.abort();
    clearTimeout(timer);
  };
}
