// @ts-check
/** Server-sent events read with fetch: tickets and tokens go in headers, never in an address. */
import { OnsaleError, anySignal, send } from './call.js';

/** A stream silent for longer than this counts as broken, in ms. The service sends a comment every 15 s. */
const SILENCE_MS = 30_000;

/** An event. Its kind (`event`) says what its data is. @typedef {{ event: string, id: string | null, data: unknown }} Event */

/**
 * Takes lines apart into events, as the HTML standard has it.
 * @param {(event: Event) => void} found
 * @param {(ms: number) => void} retry called with the reconnection time that the server proposes, in ms
 * @returns {(text: string) => void} parses the next piece of the stream
 */
export function createParser(found, retry) {
  let rest = '';
  /** @type {{ event: string, id: string | null, data: string[] }} */
  let next = { event: 'message', id: null, data: [] };
  /** @param {string} line */
  const parseLine = (line) => {
    if (line === '') {
      if (next.data.length > 0) {
        try {
          found({ ...next, data: JSON.parse(next.data.join('\n')) });
        } catch {
          // Not JSON: ignored.
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
    lines.forEach(parseLine);
  };
}

/**
 * Opens a stream and reads it until it ends.
 * @param {import('./call.js').Client} client
 * @param {string} path
 * @param {import('./call.js').Sent & { last?: string | null, onOpen?: () => void, onBytes?: () => void, onRetry?: (ms: number) => void, silence?: number }} how
 * @param {(event: Event) => void} found
 * @returns {Promise<'closed' | 'final'>} `final`: no more events will come (`204`)
 */
export async function readStream(client, path, how, found) {
  const { last, onOpen, onBytes, onRetry = () => {}, silence = SILENCE_MS, signal } = how;
  const quiet = new AbortController();
  const both = anySignal(signal, quiet.signal);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const restartTimer = () => {
    clearTimeout(timer);
    timer = setTimeout(() => quiet.abort(), silence);
  };
  restartTimer();
  try {
    const headers = { Accept: 'text/event-stream', ...(last ? { 'Last-Event-ID': last } : {}) };
    const response = await send(client, 'GET', path, { ...how, headers, signal: both });
    if (response.status === 204) return 'final';
    if (!response.body) throw new OnsaleError('network', 0);
    onOpen?.();
    const [reader, decoder, parse] = [response.body.getReader(), new TextDecoder(), createParser(found, onRetry)];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 'closed';
      restartTimer();
      onBytes?.();
      parse(decoder.decode(value, { stream: true }));
    }
  } catch (error) {
    if (signal?.aborted) throw new OnsaleError('aborted', 0);
    throw error instanceof OnsaleError && error.code !== 'aborted' ? error : new OnsaleError('network', 0);
  } finally {
    clearTimeout(timer);
    quiet.abort();
  }
}
