/** Orders by UTF-8 bytes, never by locale. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0
  // UTF-16 order and UTF-8 order differ only where surrogates meet U+E000 and above: rare, so the quick way first.
  return /[\ud800-\uffff]/.test(a + b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1
}
