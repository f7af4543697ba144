/**
 * The generated messages, set up to use plain numbers for 64-bit fields. Import from here, never from `gen/`.
 *
 * Every 64-bit value in Shoal (revisions, terms, byte counts, milliseconds) stays below 2^53 by assertion where it is
 * made, so `number` is exact. Without the first import the generated code would use `Long` objects where it finds them.
 */
import './plain-numbers.js';

export { grpc, shoal } from './gen/shoal.js';
