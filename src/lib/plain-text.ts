/**
 * Text that others wrote, for a terminal: control characters, which could steer it, are shown as �. Clients of a
 * service decide what it logs.
 */
export function plainText(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (control) => (control === '\t' ? control : '\ufffd'))
}
