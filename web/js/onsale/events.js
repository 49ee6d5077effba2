// @ts-check
/** Server-sent events read with fetch: tickets and tokens go in headers, never in an address. */
import { OnsaleError, either, send } from './call.js';

/** A stream that is silent for longer is taken for dead, in ms: ours has a comment every 15 s. */
const SILENCE = 30_000;

/** @typedef {{ event: string, id: string | null, data: any }} Event */

/**
 * Takes lines apart into events, as the HTML standard has it.
 * @param {(event: Event) => void} found
 * @param {(ms: number) => void} retry what the server proposes to wait before coming back
 * @returns {(text: string) => void} takes the next piece of the stream
 */
export function parser(found, retry) {
  let rest = '';
  /** @type {{ event: string, id: string | null, data: string[] }} */
  let next = { event: 'message', id: null, data: [] };
  /** @param {string} line */
  const take = (line) => {
    if (line === '') {
      if (next.data.length > 0) {
        try {
          found({ ...next, data: JSON.parse(next.data.join('\n')) });
        } catch {
          // Not ours.
        }
      }
      next = { event: 'message', id: null, data: [] };
      return;
    }
    const colon = line.indexOf(':');
    const [name, value] = colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
    if (name === 'event') next.event = value;
    else if (name === 'id') next.id = value;
    else if (name === 'data') next.data.push(value);
    else if (name === 'retry' && /^\d+$/.test(value)) retry(Number(value));
  };
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    lines.forEach(take);
  };
}

/**
 * Opens a stream and reads it to its end.
 * @param {import('./call.js').Client} client
 * @param {string} path
 * @param {import('./call.js').Sent & { last?: string | null, onOpen?: () => void, onBytes?: () => void, onRetry?: (ms: number) => void, silence?: number }} how
 * @param {(event: Event) => void} found
 * @returns {Promise<'closed' | 'final'>} final: there is nothing more to come (`204`)
 */
export async function stream(client, path, how, found) {
  const { last, onOpen, onBytes, onRetry = () => {}, silence = SILENCE, signal } = how;
  const quiet = new AbortController();
  const both = either(signal, quiet.signal);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => quiet.abort(), silence);
  };
  heard();
  try {
    const headers = { Accept: 'text/event-stream', ...(last ? { 'Last-Event-ID': last } : {}) };
    const response = await send(client, 'GET', path, { ...how, headers, signal: both });
    if (response.status === 204) return 'final';
    if (!response.body) throw new OnsaleError('network', 0);
    onOpen?.();
    const [reader, decoder, take] = [response.body.getReader(), new TextDecoder(), parser(found, onRetry)];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 'closed';
      heard();
      onBytes?.();
      take(decoder.decode(value, { stream: true }));
    }
  } catch (error) {
    if (signal?.aborted) throw new OnsaleError('aborted', 0);
    throw error instanceof OnsaleError && error.code !== 'aborted' ? error : new OnsaleError('network', 0);
  } finally {
    clearTimeout(timer);
    quiet.abort();
  }
}
