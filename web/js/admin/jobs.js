// @ts-check
/** The jobs of all operators: long work with its progress, newest first. */
import { announce, toast } from '../lib/announce.js';
import { confirm } from '../lib/dialog.js';
import { el, setChildren, setText, setVisible } from '../lib/dom.js';
import { hasText, money, number, t, time } from '../lib/text.js';
import { get, post } from './api.js';
import { heading, runOnce } from './parts.js';
import { may } from './role.js';

/** @import * as Api from '../onsale/types.d.ts' */

/** Interval between two looks while a job runs, and while none does, in ms. */
const BUSY_MS = 1000;
const IDLE_MS = 5000;
/** Number of jobs that are followed. */
const FOLLOWED = 20;

/** @param {Api.Job} job */
const isActive = ({ state }) => state === 'PENDING' || state === 'RUNNING';

/** @param {Api.Job} job */
const kindText = ({ kind }) => (hasText(`admin.job.kind.${kind}`) ? t(`admin.job.kind.${kind}`) : kind);

/** What a job is about. @param {Api.Job} job */
function subject({ schedule_id: schedule, user_id: user }) {
  if (schedule !== null) return el('a', { href: `#/schedules/${schedule}/report` }, t('admin.schedule.id', { id: String(schedule) }));
  if (user === null) return null;
  const name = t('admin.job.user', { id: String(user) });
  return may('admin') ? el('a', { href: `#/people/${user}` }, name) : name;
}

/** How far a job is. @param {Api.Job} job */
function progressText({ kind, done, total, figures }) {
  const key = `admin.job.progress.${kind}`;
  const texts = [];
  if (total !== null && hasText(key)) texts.push(t(key, { done, total }));
  else texts.push(number(done));
  const { amount, texts: replaced } = /** @type {{ amount?: number, texts?: number }} */ (figures);
  if (amount !== undefined) texts.push(t('admin.job.amount', { amount: money(amount) }));
  if (replaced !== undefined) texts.push(t('admin.job.texts', { n: replaced }));
  return texts.join(' · ');
}

/** Why the last page failed. @param {Api.Job} job */
function errorText({ error }) {
  if (error === null) return '';
  return hasText(`admin.job.error.${error}`) ? t(`admin.job.error.${error}`) : error;
}

/** When it was asked for, and when it ended. @param {Api.Job} job */
function timesText({ created_at: created, finished_at: finished }) {
  const text = t('admin.job.asked', { at: `${time(created, 'date')} ${time(created, 'exact')}` });
  return finished === null ? text : `${text} · ${t('admin.job.ended', { at: time(finished, 'exact') })}`;
}

/** A job in the list; `update` shows its current state. @param {Api.Job} first */
function item(first) {
  const badge = el('span');
  const bar = el('progress', { max: 1, value: 0, 'aria-label': kindText(first) });
  const far = el('span');
  const times = el('span');
  const error = el('p', { class: 'strip strip-bad', hidden: true });
  const cancel = el('button', { type: 'button', class: 'button quiet small' }, t('admin.job.cancel'));
  const { reason } = /** @type {{ reason?: string }} */ (first.parameters);
  const element = el(
    'li',
    { class: 'entry job', id: `job-${first.id}` },
    el('p', { class: 'entry-head' }, el('b', null, kindText(first)), ' · ', subject(first), ' ', badge),
    el('p', { class: 'job-progress' }, bar, far),
    reason !== undefined && el('p', { dir: 'auto' }, t('admin.job.reason', { reason })),
    error,
    el(
      'p',
      { class: 'entry-who' },
      times,
      ' · ',
      el('span', { dir: 'auto' }, first.requested_by_name),
      ' ',
      el('span', { class: 'id' }, `#${first.requested_by}`),
    ),
    el('div', { class: 'actions' }, cancel),
  );
  let state = first.state;
  const update = (/** @type {Api.Job} */ job) => {
    badge.className = `badge job-${job.state.toLowerCase()}`;
    setText(badge, t(`admin.job.state.${job.state}`));
    const all = Math.max(job.total ?? 0, job.done, 1);
    bar.max = all;
    bar.value = job.state === 'DONE' ? all : job.done;
    setText(far, progressText(job));
    setText(times, timesText(job));
    setText(error, errorText(job));
    setVisible(error, job.error !== null);
    setVisible(cancel, job.cancellable && may('operator'));
    element.dataset.state = job.state;
    if (job.state !== state && !isActive(job)) announce(`${kindText(job)}: ${t(`admin.job.state.${job.state}`)}`, { now: true });
    state = job.state;
  };
  const act = async () => {
    const sure = await confirm({
      title: t('admin.job.cancel.sure'),
      body: t('admin.job.cancel.body'),
      yes: t('admin.job.cancel.yes'),
      danger: true,
    });
    if (!sure) return;
    /** @type {Api.Job} */
    const job = await post(`/v1/admin/jobs/${first.id}/cancel`, {});
    update(job);
    toast(t('admin.job.state.CANCELLED'));
  };
  cancel.addEventListener('click', () => runOnce(cancel, act));
  update(first);
  return { element, update };
}

/** @type {import('../admin.js').Part} */
export async function jobsPart(place) {
  const ending = new AbortController();
  const list = el('ol', { class: 'entries' });
  const none = el('p', { class: 'empty', hidden: true }, t('admin.jobs.none'));
  const more = el('button', { type: 'button', class: 'button quiet', hidden: true }, t('admin.jobs.older'));
  const lost = el('p', { class: 'strip strip-bad', role: 'status', hidden: true }, t('admin.status.lost'));
  /** @type {Map<number, ReturnType<typeof item>>} */
  const items = new Map();
  let cursor = '';
  /** @param {Api.Job[]} jobs newest first @param {boolean} older */
  const show = (jobs, older) => {
    for (const job of older ? jobs : jobs.toReversed()) {
      const known = items.get(job.id);
      if (known) {
        known.update(job);
        continue;
      }
      const made = item(job);
      items.set(job.id, made);
      if (older) list.append(made.element);
      else list.prepend(made.element);
    }
    none.hidden = items.size > 0;
  };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const look = async () => {
    let pause = IDLE_MS;
    try {
      /** @type {Api.List<Api.Job>} */
      const page = await get(`/v1/admin/jobs?limit=${FOLLOWED}`, ending.signal);
      if (items.size === 0) cursor = page.next_cursor ?? '';
      show(page.items, false);
      if (page.items.some(isActive)) pause = BUSY_MS;
      lost.hidden = true;
    } catch {
      if (ending.signal.aborted) return;
      lost.hidden = false;
    }
    more.hidden = cursor === '';
    if (!ending.signal.aborted) timer = setTimeout(look, pause);
  };
  more.addEventListener('click', () =>
    runOnce(more, async () => {
      /** @type {Api.List<Api.Job>} */
      const page = await get(`/v1/admin/jobs?limit=${FOLLOWED}&cursor=${encodeURIComponent(cursor)}`);
      cursor = page.next_cursor ?? '';
      show(page.items, true);
      more.hidden = cursor === '';
    }),
  );
  setChildren(
    place,
    heading(t('admin.nav.jobs'), { lead: t('admin.jobs.lead') }),
    lost,
    el('section', { class: 'card' }, list, none, more),
  );
  await look();
  return () => {
    ending.abort();
    clearTimeout(timer);
  };
}
