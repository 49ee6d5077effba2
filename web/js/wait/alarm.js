// @ts-check
/** Being told when it is one's turn: by the title, by a sound, by a notification, by a screen that stays on. Each is asked for first. */
import { toast } from '../lib/announce.js';
import { local } from '../lib/store.js';
import { t } from '../lib/text.js';
import { does, given } from './slots.js';

const KEY = 'onsale.alarms';
/** @type {{ sound?: boolean, notify?: boolean, awake?: boolean }} */
const wanted = local.get(KEY) ?? {};

/** @type {AudioContext | null} */
let audio = null;
/** @type {any} */
let lock = null;

/** A browser plays nothing before the reader has touched the page. */
function wakeAudio() {
  const Context = window.AudioContext ?? /** @type {any} */ (window).webkitAudioContext;
  if (!Context || !wanted.sound) return;
  audio ??= new Context();
  audio.resume().catch(() => {});
}

/** Three rising tones. @param {number} [times] */
function chime(times = 1) {
  if (!audio || audio.state !== 'running') return;
  for (let round = 0; round < times; round += 1) {
    [523.25, 659.25, 783.99].forEach((pitch, at) => {
      const from = audio.currentTime + round * 1.2 + at * 0.18;
      const [tone, gain] = [audio.createOscillator(), audio.createGain()];
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(0.25, from + 0.03);
      gain.gain.exponentialRampToValueAtTime(0.001, from + 0.5);
      tone.connect(gain).connect(audio.destination);
      tone.start(from);
      tone.stop(from + 0.55);
    });
  }
}

async function stayAwake() {
  if (!wanted.awake || document.visibilityState !== 'visible') return;
  try {
    lock = await /** @type {any} */ (navigator).wakeLock.request('screen');
  } catch {
    lock = null;
  }
}

/** @param {'sound' | 'notify' | 'awake'} name @param {boolean} on */
function keep(name, on) {
  wanted[name] = on;
  local.set(KEY, wanted);
  draw();
}

function draw() {
  for (const name of /** @type {const} */ (['sound', 'notify', 'awake'])) {
    const on = Boolean(wanted[name]) && (name !== 'notify' || Notification.permission === 'granted');
    for (const button of document.querySelectorAll(`[data-do="${name}"]`)) button.setAttribute('aria-pressed', String(on));
  }
}

/** Sets the buttons up; those that this browser can't do are not there. */
export function alarms() {
  const able = {
    sound: 'AudioContext' in window || 'webkitAudioContext' in window,
    notify: 'Notification' in window && window.isSecureContext && Notification.permission !== 'denied',
    awake: 'wakeLock' in navigator,
  };
  if (!able.notify) wanted.notify = false;
  for (const [name, can] of Object.entries(able)) {
    if (!can) for (const button of document.querySelectorAll(`[data-do="${name}"]`)) button.remove();
  }
  given('alarms', Object.values(able).some(Boolean));
  if (able.notify || able.sound || able.awake) draw();
  does('sound', () => {
    keep('sound', !wanted.sound);
    wakeAudio();
    if (wanted.sound) setTimeout(() => chime(), 50);
  });
  does('awake', async () => {
    keep('awake', !wanted.awake);
    if (!wanted.awake) await lock?.release();
    await stayAwake();
  });
  does('notify', async () => {
    if (wanted.notify) return keep('notify', false);
    const allowed = (await Notification.requestPermission()) === 'granted';
    keep('notify', allowed);
    if (!allowed) toast(t('wait.notify.denied'));
  });
  for (const event of ['pointerdown', 'keydown']) document.addEventListener(event, wakeAudio);
  document.addEventListener('visibilitychange', stayAwake);
  stayAwake();
}

/**
 * Calls whoever looks away: once for each ticket and occasion, in one of the tabs.
 * @param {string} occasion @param {string} title @param {string} text @param {string} address where a press on the notification leads
 */
export function ring(occasion, title, text, address) {
  const key = 'onsale.rung';
  if (local.get(key) === occasion) return;
  local.set(key, occasion);
  if (wanted.sound) chime(3);
  if (wanted.sound) navigator.vibrate?.([200, 100, 200]);
  if (!wanted.notify || Notification.permission !== 'granted') return;
  try {
    const note = new Notification(title, { body: text, tag: occasion, requireInteraction: true });
    note.addEventListener('click', () => {
      window.focus();
      if (address) location.href = address;
      note.close();
    });
  } catch {
    // Some phones have notifications for installed pages only.
  }
}
