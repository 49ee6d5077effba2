// @ts-check
/** Announcements for screen readers, at most one in 20 s unless urgent, and toasts. */
import { el } from './dom.js';
import { t } from './text.js';

/** Shortest time between two announcements that are neither urgent nor immediate, in ms. */
const PAUSE_MS = 20_000;

let lastAt = -Infinity;
/** @type {string | null} */
let waiting = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} id @param {string} text */
function setRegion(id, text) {
  const region = document.getElementById(id);
  if (!region) return;
  // A screen reader reads the same text again only if the region was empty before.
  region.textContent = '';
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}

function announceWaiting() {
  timer = undefined;
  if (waiting === null) return;
  lastAt = performance.now();
  setRegion('polite', waiting);
  waiting = null;
}

/**
 * Announces a text to screen readers. A text that is not urgent waits until 20 s after the last
 * announcement; if several wait, only the latest is announced.
 * @param {string} text
 * @param {{ urgent?: boolean, now?: boolean }} [how] `urgent` interrupts; `now` is polite, but immediate
 */
export function announce(text, { urgent = false, now = false } = {}) {
  if (urgent) return setRegion('urgent', text);
  waiting = text;
  if (now) {
    clearTimeout(timer);
    return announceWaiting();
  }
  timer ??= setTimeout(announceWaiting, Math.max(0, lastAt + PAUSE_MS - performance.now()));
}

/**
 * Shows a toast and announces it. It stays until it is closed; a toast that is no error closes after 8 s.
 * @param {string} text
 * @param {{ error?: boolean }} [how]
 */
export function toast(text, { error = false } = {}) {
  let stack = document.getElementById('toasts');
  if (!stack) document.body.append((stack = el('aside', { id: 'toasts', class: 'toasts', 'aria-label': t('common.toasts') })));
  /** @type {HTMLDivElement} */
  const note = el(
    'div',
    { class: error ? 'toast toast-error' : 'toast' },
    el('p', { dir: 'auto' }, text),
    el('button', { class: 'toast-close', type: 'button', 'aria-label': t('common.close'), on: { click: () => note.remove() } }, '×'),
  );
  stack.append(note);
  while (stack.children.length > 3) stack.firstElementChild?.remove();
  announce(text, { urgent: error, now: !error });
  if (!error) setTimeout(() => note.remove(), 8000);
}
