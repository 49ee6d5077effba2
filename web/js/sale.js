// @ts-check
/** The sale page. */
import './lib/frame.js';
