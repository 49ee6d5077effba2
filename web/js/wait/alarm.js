// @ts-check
/** Alarms for the turn: a sound, a notification, and a screen that stays on. The reader turns each of them on. */
import { toast } from '../lib/announce.js';
import { localStore } from '../lib/store.js';
import { t } from '../lib/text.js';
import { onAction, showIf } from './slots.js';

const KEY = 'onsale.alarms';
/** @type {{ sound?: boolean, notify?: boolean, awake?: boolean }} */
const wanted = localStore.get(KEY) ?? {};

/** @type {AudioContext | null} */
let audio = null;
/** @type {WakeLockSentinel | null} */
let wakeLock = null;

/** Starts the audio. Browsers allow that only after the reader has used the page. */
function wakeAudio() {
  // Older Safari has it under another name.
  const Context = window.AudioContext ?? /** @type {{ webkitAudioContext?: typeof AudioContext }} */ (window).webkitAudioContext;
  if (!Context || !wanted.sound) return;
  audio ??= new Context();
  audio.resume().catch(() => {});
}

/** Plays three rising tones. @param {number} [times] */
function playChime(times = 1) {
  const context = audio;
  if (!context || context.state !== 'running') return;
  for (let round = 0; round < times; round += 1) {
    [523.25, 659.25, 783.99].forEach((pitch, at) => {
      const from = context.currentTime + round * 1.2 + at * 0.18;
      const [tone, gain] = [context.createOscillator(), context.createGain()];
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(0.25, from + 0.03);
      gain.gain.exponentialRampToValueAtTime(0.001, from + 0.5);
      tone.connect(gain).connect(context.destination);
      tone.start(from);
      tone.stop(from + 0.55);
    });
  }
}

async function keepScreenOn() {
  if (!wanted.awake || document.visibilityState !== 'visible') return;
  try {
    wakeLock = await navigator.wakeLock.request('screen');
  } catch {
    wakeLock = null;
  }
}

/** @param {'sound' | 'notify' | 'awake'} name @param {boolean} on */
function saveAlarm(name, on) {
  wanted[name] = on;
  localStore.set(KEY, wanted);
  showAlarms();
}

function showAlarms() {
  for (const name of /** @type {const} */ (['sound', 'notify', 'awake'])) {
    const on = Boolean(wanted[name]) && (name !== 'notify' || Notification.permission === 'granted');
    for (const button of document.querySelectorAll(`[data-do="${name}"]`)) button.setAttribute('aria-pressed', String(on));
  }
}

/** Sets up the buttons and removes those that this browser does not support. */
export function setUpAlarms() {
  const able = {
    sound: 'AudioContext' in window || 'webkitAudioContext' in window,
    notify: 'Notification' in window && window.isSecureContext && Notification.permission !== 'denied',
    awake: 'wakeLock' in navigator,
  };
  if (!able.notify) wanted.notify = false;
  for (const [name, can] of Object.entries(able)) {
    if (!can) for (const button of document.querySelectorAll(`[data-do="${name}"]`)) button.remove();
  }
  showIf('alarms', Object.values(able).some(Boolean));
  if (able.notify || able.sound || able.awake) showAlarms();
  onAction('sound', () => {
    saveAlarm('sound', !wanted.sound);
    wakeAudio();
    if (wanted.sound) setTimeout(() => playChime(), 50);
  });
  onAction('awake', async () => {
    saveAlarm('awake', !wanted.awake);
    if (!wanted.awake) await wakeLock?.release();
    await keepScreenOn();
  });
  onAction('notify', async () => {
    if (wanted.notify) return saveAlarm('notify', false);
    const allowed = (await Notification.requestPermission()) === 'granted';
    saveAlarm('notify', allowed);
    if (!allowed) toast(t('wait.notify.denied'));
  });
  for (const event of ['pointerdown', 'keydown']) document.addEventListener(event, wakeAudio);
  document.addEventListener('visibilitychange', keepScreenOn);
  keepScreenOn();
}

/**
 * Sounds the alarms once per ticket and occasion, in one tab only.
 * @param {string} occasion @param {string} title @param {string} text @param {string} address the page that a click on the notification opens
 */
export function ringAlarms(occasion, title, text, address) {
  const key = 'onsale.rung';
  if (localStore.get(key) === occasion) return;
  localStore.set(key, occasion);
  if (wanted.sound) playChime(3);
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
    // Some phones allow notifications for installed pages only.
  }
}
