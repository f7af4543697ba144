/**
 * Whether a method only reads: its answer may be partial, and it may be asked twice. By its name, which says so in this API.
 * `test/api-gateway/relay/reads.test.ts` walks all methods.
 */
export function isRead(method: string): boolean {
  return /^(?:[gG]et|[lL]ist|[eE]xplain|[pP]lan|[tT]race|[wW]hatIf)(?![a-z])/.test(method);
}
