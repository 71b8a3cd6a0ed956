/** Words that make a name one of a secret, wherever they stand in it. */
const secretWords = [
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'secret',
  'credential',
  'token',
  'apikey',
  'accesskey',
  'privatekey',
  'sharedkey',
  'licensekey',
  'licencekey',
  'activationcode',
  'authorization',
  'cookie',
  'psk',
]
/** Names that say secret only where nothing else stands in them. */
const secretNames = new Set(['pass', 'pwd', 'auth', 'pin', 'key', 'login', 'serial'])
/** Only so much of a name is looked at: its end. */
export const longestName = 64

/** Whether what has this name is a secret: "DB_PASSWORD", "x-api-key", "licence_key". */
export function isSecretName(name: string): boolean {
  const lower = name.slice(-longestName).toLowerCase()
  const plain = lower.replaceAll(/[^a-z0-9]/g, '')
  return secretNames.has(plain) || secretWords.some((word) => plain.includes(word) && !isCount(plain))
}

/** "max_tokens", "passwordless", "cookie_count": about secrets, not one. */
function isCount(plain: string): boolean {
  return /(tokens|less|count|length|file|path|age|policy|attempts|expiry)$/.test(plain)
}
