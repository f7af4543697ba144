/** Bytes in a mebibyte. */
export const mibBytes = 1024 * 1024;
/** Bytes in a gibibyte. */
export const gibBytes = 1024 * mibBytes;
/** Bytes in a kibibyte. */
export const kibBytes = 1024;
