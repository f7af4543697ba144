/**
 * `record[key]` for a key from outside: undefined unless the record itself has it. A plain look-up also finds what every
 * object inherits (`constructor`, `valueOf`, `__proto__`), of a type that nobody expects.
 */
export function ownValue<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
