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
  'sshpass',
  'requirepass',
  'masterauth',
  'snmpcommunity',
]
/** Names that say secret only where nothing else stands in them. */
const secretNames = new Set(['pass', 'pwd', 'auth', 'pin', 'key', 'login', 'serial'])
/** Last words that do so behind others: "DB_PASS", "smtpPwd", "wg.key", but not "public_key" and the like. */
const lastWord = /[^A-Za-z0-9](?:pass|PASS|Pass|pwd|PWD|Pwd|key|KEY|Key)$|[a-z0-9](?:Pass|Pwd|Key)$/
const openKey = /(?:public|cache|sort|primary|foreign|host)key$/
/** Only so much of a name is looked at: its end. */
export const longestName = 64

/** Whether what has this name is a secret: "DB_PASSWORD", "x-api-key", "licence_key". */
export function isSecretName(name: string): boolean {
  const end = name.slice(-longestName)
  const plain = end.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  if (lastWord.test(end) && !openKey.test(plain)) return true
  return secretNames.has(plain) || secretWords.some((word) => plain.includes(word) && !isCount(plain))
}

/** "max_tokens", "passwordless", "cookie_count": about secrets, not one. "API_TOKENS" are several. */
function isCount(plain: string): boolean {
  return /(^(?:max|min|num|total)[a-z]*tokens|less|count|length|file|path|age|policy|attempts|expiry)$/.test(
    plain,
  )
}
