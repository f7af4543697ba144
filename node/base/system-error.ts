/** The system's error name (`ENOENT`, `EACCES`...), where `caught` carries one. */
export function errnoOf(caught: unknown): string | undefined {
  return caught instanceof Error && 'code' in caught && typeof caught.code === 'string' ? caught.code : undefined;
}

/** Whether a file-system call said "there is no such thing", which is an answer; every other failure is not. */
export function isMissing(caught: unknown): boolean {
  return errnoOf(caught) === 'ENOENT';
}
