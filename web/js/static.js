// @ts-check
/** Pages without a module of their own. */
import './lib/frame.js';
