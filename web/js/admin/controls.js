// @ts-check
/** The admission controls: pause, rate, capacity and message. They show when a change is in effect. */
import { announce } from '../lib/announce.js';
import { confirm } from '../lib/dialog.js';
import { el, setAttribute, setText, setVisible } from '../lib/dom.js';
import { number, t, time } from '../lib/text.js';
import { serverNow } from '../lib/clock.js';
import { settingText } from './queue-fields.js';
import { card, runOnce, field, fieldLabel } from './parts.js';
import { getTagged } from './api.js';
import { sendEdit, THEIRS } from './edit.js';
import { changesList } from './settings.js';

/** @typedef {import('../onsale/types.d.ts').InForce} InForce */
/** A setting's value. @typedef {InForce[keyof InForce]} Value */
/** @typedef {{ name: keyof InForce, after: Value, element: HTMLElement, state: HTMLElement, begun: number, done: boolean }} Effect */

/** Number of recent changes shown. */
const SHOWN_EFFECTS = 5;
/** A change that is not in effect after this time is marked as unconfirmed, in ms. */
const LATE_MS = 3000;

/** The changes made here, and whether they are in effect. */
class Effects {
  constructor() {
    this.element = el('ol', { class: 'effects', 'aria-label': t('admin.effects') });
    /** @type {Effect[]} */
    this.all = [];
  }

  /** @param {keyof InForce} name @param {Value} before @param {Value} after @param {number} begun when it was requested */
  add(name, before, after, begun) {
    // An earlier change of the same setting can no longer be confirmed.
    for (const effect of this.all.filter((one) => one.name === name)) setText(effect.state, t('admin.effect.replaced'));
    this.all = this.all.filter((one) => one.name !== name);
    const state = el('span', { class: 'effect-state' }, t('admin.effect.waiting'));
    const element = el(
      'li',
      { class: 'effect' },
      el('span', { class: 'effect-at' }, time(serverNow(), 'exact')),
      el(
        'span',
        { dir: 'auto' },
        el('b', null, t(`admin.setting.${name}`)),
        ': ',
        el('s', { dir: 'auto' }, settingText(name, before)),
        ' → ',
        el('b', { dir: 'auto' }, settingText(name, after)),
      ),
      state,
    );
    this.all.unshift({ name, after, element, state, begun, done: false });
    this.element.prepend(element);
    while (this.element.children.length > SHOWN_EFFECTS) this.element.lastElementChild?.remove();
  }

  /** Compares the changes with the settings in effect. @param {InForce} inForce */
  check(inForce) {
    for (const effect of this.all.filter(({ done }) => !done)) {
      const took = performance.now() - effect.begun;
      if (inForce[effect.name] === effect.after) {
        effect.done = true;
        effect.element.classList.add('effect-done');
        setText(effect.state, t('admin.effect.done', { seconds: (Math.ceil(took / 100) / 10).toFixed(1) }));
        announce(`${t(`admin.setting.${effect.name}`)}: ${settingText(effect.name, effect.after)}. ${t('admin.effect.inforce')}`, {
          now: true,
        });
      } else if (took > LATE_MS) {
        effect.element.classList.add('effect-late');
        setText(effect.state, t('admin.effect.late'));
      }
    }
    this.all = this.all.filter(({ done }) => !done);
  }
}

/**
 * What a change does to buyers if it needs a confirmation, or null.
 * @param {InForce} before @param {Partial<InForce>} change @param {number} waiting
 */
function harmText(before, change, waiting) {
  if (change.paused === true) return waiting > 0 ? t('admin.harm.pause', { n: waiting }) : t('admin.pause.does');
  if (change.capacity === 0) return t('admin.harm.nocapacity');
  if (change.capacity !== undefined && change.capacity < before.capacity / 2) return t('admin.harm.capacity');
  const rate = change.admit_per_second;
  if (rate !== undefined && rate > before.admit_per_second * 4) return t('admin.harm.rateup');
  if (rate !== undefined && rate < before.admit_per_second / 4) return t('admin.harm.ratedown');
  return null;
}

/**
 * A number field with buttons that change it by factors.
 * @param {'capacity' | 'admit_per_second'} name @param {number} min @param {number} max
 * @param {(value: number) => Promise<void>} apply
 */
function dial(name, min, max, apply) {
  const input = el('input', { type: 'number', min, max, step: 1, required: true, inputmode: 'numeric', id: `dial-${name}` });
  const current = el('strong', null, '–');
  const button = el('button', { type: 'submit', class: 'button small' }, t('admin.apply'));
  const turn = (/** @type {number} */ factor) => {
    const from = Number(input.value) || 0;
    const to = factor < 1 ? Math.min(from - 1, Math.floor(from * factor)) : Math.max(from + 1, Math.ceil(from * factor));
    input.value = String(Math.min(max, Math.max(min, to)));
  };
  const step = (/** @type {number} */ factor, /** @type {string} */ sign) =>
    el(
      'button',
      {
        type: 'button',
        class: 'button quiet small',
        'aria-label': `${sign} ${t(`admin.setting.${name}`)}`,
        on: { click: () => turn(factor) },
      },
      sign,
    );
  let shown = NaN;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    runOnce(button, () => apply(Number(input.value)));
  };
  const element = el(
    'form',
    { class: 'dial', on: { submit } },
    field(t(`admin.setting.${name}`), input, { hint: t(`admin.setting.${name}.does`) }),
    el('p', { class: 'dial-now' }, t('admin.inforce'), ' ', current),
    el('div', { class: 'dial-buttons' }, step(0.5, '÷ 2'), step(0.9, '− 10 %'), step(1.1, '+ 10 %'), step(2, '× 2'), button),
  );
  return {
    element,
    /** @param {number} value */
    show: (value) => {
      setText(current, settingText(name, value));
      // A value that the operator is editing stays. An untouched one follows the setting.
      if (value !== shown && (Number.isNaN(shown) || Number(input.value) === shown)) input.value = String(value);
      shown = value;
    },
  };
}

/**
 * Changes a setting if its stored value is the one shown here, or the last one set here, which may not be in force
 * yet. Otherwise the operator decides. Returns whether it was changed.
 * @param {number} schedule @param {InForce} shown @param {Partial<InForce>} own @param {Partial<InForce>} change
 */
async function changeSettings(schedule, shown, own, change) {
  const path = `/v1/admin/schedules/${schedule}/queue`;
  /** @type {import('./api.js').Tagged<InForce>} */
  const { answer, tag } = await getTagged(path);
  const names = /** @type {(keyof InForce)[]} */ (Object.keys(change));
  const isKnown = names.every((name) => answer[name] === shown[name] || answer[name] === own[name]);
  // A tag that no state has makes the service refuse the change and answer with the current state.
  const seen = isKnown ? tag : '"none"';
  const done = await sendEdit({ path, body: change, tag: seen, before: shown, mine: change, names, label: fieldLabel, text: settingText });
  if (done === THEIRS) announce(t('admin.conflict.taken'), { now: true });
  return done !== null && done !== THEIRS;
}

/** The choice between the fixed and the automatic rate. @param {(mode: InForce['admission_mode']) => Promise<void>} apply */
function modeSwitch(apply) {
  const hint = el('p', { class: 'hint' });
  const button = el('button', { type: 'button', class: 'button small', id: 'mode' });
  let isAuto = false;
  button.addEventListener('click', () => runOnce(button, () => apply(isAuto ? 'FIXED' : 'AUTO')));
  return {
    element: el('div', { class: 'dial' }, el('p', { class: 'dial-now' }, button), hint),
    /** @param {import('./feed.js').Stats} stats */
    show: ({ in_force, pace }) => {
      isAuto = in_force.admission_mode === 'AUTO';
      const fixed = pace.auto ? number(pace.auto.fixed_per_second) : '';
      setText(button, isAuto ? t('admin.auto.off', { rate: fixed }) : t('admin.auto.on'));
      setText(hint, isAuto ? t('admin.auto.off.does') : t('admin.setting.admission_mode.does'));
    },
  };
}

/** The form for the message to the queue. @param {(message: string | null) => Promise<void>} apply */
function messenger(apply) {
  const text = el('textarea', { rows: 2, maxlength: 1000, dir: 'auto', id: 'message' });
  const current = el('q', { dir: 'auto', class: 'message-now' });
  const none = el('span', { class: 'muted' }, t('admin.nomessage'));
  const send = el('button', { type: 'submit', class: 'button small' }, t('admin.message.send'));
  const clear = el('button', { type: 'button', class: 'button quiet small' }, t('admin.message.clear'));
  clear.addEventListener('click', () => runOnce(clear, () => apply(null)));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const message = text.value.trim();
    runOnce(send, () => apply(message === '' ? null : message));
  };
  const element = el(
    'form',
    { class: 'dial', on: { submit } },
    field(t('admin.setting.message'), text, { hint: t('admin.setting.message.does') }),
    el('p', { class: 'dial-now' }, t('admin.message.now'), ' ', current, none),
    el('div', { class: 'dial-buttons' }, send, clear),
  );
  return {
    element,
    /** @param {string | null} message */
    show: (message) => {
      setText(current, message ?? '');
      setVisible(current, message !== null);
      setVisible(none, message === null);
      clear.hidden = message === null;
    },
  };
}

/**
 * The admission controls of a schedule.
 * @param {number} schedule
 */
export function admissionControls(schedule) {
  const effects = new Effects();
  /** @type {InForce | null} */
  let inForce = null;
  let waiting = 0;
  /** The last values set here. @type {Partial<InForce>} */
  const own = {};
  const apply = async (/** @type {Partial<InForce>} */ change) => {
    if (!inForce) return;
    const before = { ...inForce };
    const [[name, after]] = /** @type {[keyof InForce, Value][]} */ (Object.entries(change));
    if (before[name] === after) return announce(t('admin.nochange'), { now: true });
    const harm = harmText(before, change, waiting);
    const sure =
      harm === null ||
      (await confirm({
        title: t(name === 'paused' ? 'admin.pause' : `admin.setting.${name}`),
        body: [changesList(before, change, settingText), el('p', null, harm)],
        yes: t(name === 'paused' ? 'admin.pause' : 'admin.apply'),
        danger: true,
      }));
    if (!sure) return;
    const begun = performance.now();
    if (!(await changeSettings(schedule, before, own, change))) return;
    Object.assign(own, change);
    effects.add(name, before[name], after, begun);
  };
  const pauseButton = (/** @type {string} */ kind) => {
    const button = el('button', { type: 'button', class: `button danger ${kind}`, disabled: true }, t('admin.bar.pause'));
    button.addEventListener('click', () => runOnce(button, () => apply({ paused: !inForce?.paused })));
    return button;
  };
  const [pause, quick] = [pauseButton('large'), pauseButton('quick')];
  const paused = el('p', { class: 'hint' });
  const rate = dial('admit_per_second', 1, 10_000, (admit_per_second) => apply({ admit_per_second }));
  const mode = modeSwitch((admission_mode) => apply({ admission_mode }));
  const capacity = dial('capacity', 0, 1_000_000, (value) => apply({ capacity: value }));
  const message = messenger((text) => apply({ message: text }));
  const element = card(
    t('admin.controls'),
    el('div', { class: 'pause' }, pause, paused),
    el('div', { class: 'dials' }, rate.element, mode.element, capacity.element, message.element),
    el('h3', null, t('admin.effects')),
    effects.element,
    el('p', { class: 'hint' }, t('admin.effects.hint'), ' ', el('a', { href: `#/schedules/${schedule}/audit` }, t('admin.audit.look'))),
  );
  element.classList.add('controls');
  return {
    element,
    /** The same button as that of the card, for the bar within reach of a thumb. */
    quick,
    /** @param {import('./feed.js').Stats} stats */
    show: (stats) => {
      inForce = stats.in_force;
      waiting = stats.waiting;
      for (const button of [pause, quick]) {
        button.disabled = false;
        button.classList.toggle('danger', !stats.in_force.paused);
      }
      const name = t(stats.in_force.paused ? 'admin.resume' : 'admin.pause');
      setText(pause, name);
      setText(quick, t(stats.in_force.paused ? 'admin.bar.resume' : 'admin.bar.pause'));
      setAttribute(quick, 'aria-label', name);
      setText(paused, t(stats.in_force.paused ? 'admin.resume.does' : 'admin.pause.does', { waiting: number(waiting) }));
      // With an automatic rate, the fixed one is among the settings.
      setVisible(rate.element, stats.in_force.admission_mode === 'FIXED');
      rate.show(stats.in_force.admit_per_second);
      mode.show(stats);
      capacity.show(stats.in_force.capacity);
      message.show(stats.in_force.message);
      effects.check(stats.in_force);
    },
  };
}
