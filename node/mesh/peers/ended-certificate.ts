/** What TLS says of a certificate that has ended, and what people are to do about it. */

/** Certificates last a week and are renewed with three days left at least, so a clock that is wrong by a day or two ends none. */
export const clockAdvice =
  'the clock of one of the two hosts is wrong by more than two days (`shoal hosts` shows which); set it, and they find each other again';

/** Whether a code or a text of OpenSSL's or Node's says that a certificate's time is over, or has not come. */
export function isEndedCode(text: string): boolean {
  return /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|certificate has expired|certificate is not yet valid/.test(text);
}
