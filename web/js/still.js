// @ts-check
/** Pages that only have to be read. */
import './lib/frame.js';
