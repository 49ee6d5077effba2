// @ts-check
/** Chooses one of several tabs to hold the stream, since a browser opens only six connections to a site. */

export class TabLeader {
  /** Whether this tab leads. Without Web Locks (a site without https), every tab does. */
  isLeader = !navigator.locks;
  /** @type {AbortController | null} */
  #request = null;

  /** @param {string} name names the group of tabs @param {() => void} onLead called when this tab becomes the leader */
  constructor(name, onLead) {
    this.name = name;
    this.onLead = onLead;
  }

  /** Requests the lead. This tab gets it when no other tab has it, and keeps it until released or closed. */
  requestLead() {
    if (this.#request || !navigator.locks) return;
    const { signal } = (this.#request = new AbortController());
    const lead = async () => {
      if (signal.aborted) return;
      this.isLeader = true;
      this.onLead();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    };
    navigator.locks.request(this.name, { signal }, lead).catch(() => {});
  }

  /** Releases the lead to another tab. */
  releaseLead() {
    this.#request?.abort();
    this.#request = null;
    this.isLeader = !navigator.locks;
  }
}
