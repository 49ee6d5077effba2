// @ts-check
/** Telling those who listen instead of look, and not too often. */
import { el } from './dom.js';
import { t } from './text.js';

/** What changes all the time is told at most this often, in ms. */
const PAUSE = 20_000;

let lastAt = -Infinity;
/** @type {string | null} */
let waiting = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} id @param {string} text */
function tell(id, text) {
  const region = document.getElementById(id);
  if (!region) return;
  // The same text again is only read out where the region was empty before.
  region.textContent = '';
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}

function flush() {
  timer = undefined;
  if (waiting === null) return;
  lastAt = performance.now();
  tell('polite', waiting);
  waiting = null;
}

/**
 * Tells listeners. What is not urgent waits until 20 s after the last time; of several that wait
 * only the last is told.
 * @param {string} text
 * @param {{ urgent?: boolean, now?: boolean }} [how] `urgent` interrupts; `now` is polite, but at once
 */
export function announce(text, { urgent = false, now = false } = {}) {
  if (urgent) return tell('urgent', text);
  waiting = text;
  if (now) {
    clearTimeout(timer);
    return flush();
  }
  timer ??= setTimeout(flush, Math.max(0, lastAt + PAUSE - performance.now()));
}

/**
 * Shows a note at the foot of the page until it is dismissed, 8 s at most unless it is an error, and
 * tells listeners.
 * @param {string} text
 * @param {{ error?: boolean }} [how]
 */
export function toast(text, { error = false } = {}) {
  let stack = document.getElementById('toasts');
  if (!stack) document.body.append((stack = el('aside', { id: 'toasts', class: 'toasts', 'aria-label': t('common.toasts') })));
  const close = () => note.remove();
  const note = el(
    'div',
    { class: error ? 'toast toast-error' : 'toast' },
    el('p', { dir: 'auto' }, text),
    el('button', { class: 'toast-close', type: 'button', 'aria-label': t('common.close'), on: { click: close } }, '×'),
  );
  stack.append(note);
  while (stack.children.length > 3) stack.firstElementChild?.remove();
  announce(text, { urgent: error, now: !error });
  if (!error) setTimeout(close, 8000);
}
