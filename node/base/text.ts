/** The beginning of `text`, at most `charactersMax` long and never ending in half a surrogate pair, which no record can hold. */
export function beginningOf(text: string, charactersMax: number): string {
  const end = text.charCodeAt(charactersMax - 1);
  const isSplit = text.length > charactersMax && end >= 0xd800 && end <= 0xdbff;
  return text.slice(0, isSplit ? charactersMax - 1 : charactersMax).toWellFormed();
}
