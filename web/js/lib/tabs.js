// @ts-check
/** Of several tabs one is pushed to: a browser has six connections to a site, and a stream keeps one. */

export class OneTab {
  /** Whether it is this tab. Where a browser has no locks (a site without https), it is every tab. */
  is = !navigator.locks;
  /** @type {AbortController | null} */
  #asked = null;

  /** @param {string} name which tabs are meant @param {() => void} chosen it is this one now */
  constructor(name, chosen) {
    this.name = name;
    this.chosen = chosen;
  }

  /** Asks to be the one, once no other tab is; until it lets go, or is closed. */
  ask() {
    if (this.#asked || !navigator.locks) return;
    const { signal } = (this.#asked = new AbortController());
    const have = async () => {
      if (signal.aborted) return;
      this.is = true;
      this.chosen();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    };
    navigator.locks.request(this.name, { signal }, have).catch(() => {});
  }

  /** Lets another tab be the one. */
  letGo() {
    this.#asked?.abort();
    this.#asked = null;
    this.is = !navigator.locks;
  }
}
