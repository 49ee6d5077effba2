// @ts-check
/** Shows the current part of the console again, with all of its data. */

/** @type {() => void} */
let show = () => {};

/** @param {() => void} listener shows the current part */
export function onReload(listener) {
  show = listener;
}

/** Ends the current part and shows it again. */
export const reloadPart = () => show();
