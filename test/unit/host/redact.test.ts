import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redact, redactWithWork } from '../../../src/host/support/redact.ts'
import { redactJson } from '../../../src/host/support/redact-json.ts'
import { isSecretName } from '../../../src/host/support/secret-name.ts'

describe('redaction of a text', () => {
  it.each([
    ['DB_PASSWORD=hunter2', 'DB_PASSWORD=[redacted]'],
    ['started with API_TOKEN=abc, port=53', 'started with API_TOKEN=[redacted], port=53'],
    ['password: two words\nport: 53', 'password: [redacted]\nport: 53'],
    ['{"password":"a\\"b","user":"x"}', '{"password":"[redacted]","user":"x"}'],
    ['{"Env":"{\\"secret\\":\\"x y\\",\\"a\\":1}"}', '{"Env":"{\\"secret\\":\\"[redacted]\\",\\"a\\":1}"}'],
    ["secret = 'a b' next", "secret = '[redacted]' next"],
    ['{"secret":{"kept":"yes"}}', '{"secret":{"kept":"yes"}}'],
    ['run --password hunter2 --port 53', 'run --password [redacted] --port 53'],
    ['run --api-key=abc -v', 'run --api-key=[redacted] -v'],
    ['cachemgr_passwd hunter2 all', 'cachemgr_passwd [redacted] all'],
    ['cache_peer p parent 3128 0 login=me:word', 'cache_peer p parent 3128 0 login=[redacted]'],
    ['Authorization: Basic dXNlcjpwYXNz\r\nHost: a', 'Authorization: [redacted]\r\nHost: a'],
    [
      'curl -H "Proxy-Authorization: Bearer a.b.c" http://x/',
      'curl -H "Proxy-Authorization: [redacted]" http://x/',
    ],
    ['Set-Cookie: id=1; Path=/', 'Set-Cookie: [redacted]'],
    ['http://me:p4ss@host:3128/x', 'http://me:[redacted]@host:3128/x'],
    ['http://me:p@ss@host/x?a=b@c', 'http://me:[redacted]@host/x?a=b@c'],
    ['https://ghp0123456789abcdefghijk@host/', 'https://[redacted]@host/'],
    ['ssh://me@host:22', 'ssh://me@host:22'],
    ['http://[2001:db8::1]:80/', 'http://[2001:db8::1]:80/'],
    ['GET http://x/?user=a&token=abc&b=c 200', 'GET http://x/?user=a&token=[redacted]&b=c 200'],
    [
      'a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nb',
      'a\n-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----\nb',
    ],
    ['-----BEGIN PRIVATE KEY-----\nMIIE', '-----BEGIN PRIVATE KEY-----[redacted]'],
    [
      '-----BEGIN LICENCE-----\nx\n-----END LICENCE-----',
      '-----BEGIN LICENCE-----[redacted]-----END LICENCE-----',
    ],
    [
      '-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----',
      '-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----',
    ],
    ['+cachemgr_passwd hunter2 all', '+cachemgr_passwd [redacted] all'],
    ['-cachemgr_passwd hunter2 all', '-cachemgr_passwd [redacted] all'],
    ['DB_PASS=hunter2 smtpPwd: a', 'DB_PASS=[redacted] smtpPwd: [redacted]'],
    ['+  auth_pass 1111', '+  auth_pass [redacted]'],
    [
      'ENCRYPTION_KEY=abc public_key=def TUNNEL_KEY_FILE=/etc/key',
      'ENCRYPTION_KEY=[redacted] public_key=def TUNNEL_KEY_FILE=/etc/key',
    ],
    ['API_TOKENS=abc,', 'API_TOKENS=[redacted],'],
    ['  user bob insecure-password S3cret', '  user bob insecure-password [redacted]'],
    ['  stats auth admin:S3', '  stats auth admin:[redacted]'],
    ['+ stats  auth\tadmin:S3', '+ stats  auth\tadmin:[redacted]'],
    [
      'userlist u\n  user al password $6$ab$cd groups g',
      'userlist u\n  user al password [redacted] groups g',
    ],
    [
      '  http-request auth realm Own unless { http_auth(u) }',
      '  http-request auth realm Own unless { http_auth(u) }',
    ],
    [
      'http-request set-header Authorization "Basic S3" if x',
      'http-request set-header Authorization "[redacted]" if x',
    ],
    ['  tcp-check send AUTH\\ S3\\r\\n', '  tcp-check send AUTH\\ [redacted]\\r\\n'],
    ['password: |\n  a\n\n  b\nport: 53', 'password: [redacted]\nport: 53'],
    ['db:\n  - password: >-\n      a\n    port: 53', 'db:\n  - password: [redacted]\n    port: 53'],
    ['password: !!str |2 # ours\n  a\n', 'password: [redacted]\n'],
    ['+password: |\n-  a\n+  b\n port: 53', '+password: [redacted]\n port: 53'],
    [
      '2026-11-28T10:00:00.123456789Z password: |\n2026-11-28T10:00:00.123456789Z   a\n2026-11-28T10:00:00.123456789Z port: 53',
      '2026-11-28T10:00:00.123456789Z password: [redacted]\n2026-11-28T10:00:00.123456789Z port: 53',
    ],
    ['password:\n  a\n  b\nport: 53', 'password:\n  [redacted]\nport: 53'],
    ['password:\nport: 53', 'password:\nport: 53'],
    ['tokens:\n- a\n- "b c"\nport: 53', 'tokens:\n- [redacted]\nport: 53'],
    ['tokens: [a, "b ]"]\nport: 53', 'tokens: [[redacted]]\nport: 53'],
    ['secrets:\n  cert:\n    file: ./c.pem', 'secrets:\n  cert:\n    file: ./c.pem'],
    ['password: ab"cd\nport: 53', 'password: [redacted]\nport: 53'],
    ['{"password":\n  "a",\n "x": 1}', '{"password":\n  "[redacted]",\n "x": 1}'],
    ['{"tokens": [\n  "a",\n  "b]"\n ],\n "x": 1}', '{"tokens": [\n  "[redacted]"\n ],\n "x": 1}'],
    ['{\\"tokens\\":[\\"a\\",\\"b\\"],\\"x\\":1}', '{\\"tokens\\":[\\"[redacted]\\"],\\"x\\":1}'],
    ['{"token": [{"id": 5}], "x": []}', '{"token": [{"id": 5}], "x": []}'],
    ['{"pin": 1234, "x": 1}', '{"pin": [redacted], "x": 1}'],
    [
      '> Authorization: Digest username="x", response="a"\n> Host: h',
      '> Authorization: [redacted]\n> Host: h',
    ],
    ['Authorization: Negotiate\r\n\tabc\r\nHost: h', 'Authorization: [redacted]\r\nHost: h'],
    ['map[Authorization:[Bearer a] Accept:[*/*]]', 'map[Authorization:[[redacted]] Accept:[*/*]]'],
    ['sent Bearer abcdefghijklmnopqrstuv to h', 'sent Bearer [redacted] to h'],
    ['HTTPS_PROXY=me:S3@proxy:3128', 'HTTPS_PROXY=me:[redacted]@proxy:3128'],
    ['http://me:a/b@host/x http://h:80/a@b', 'http://me:[redacted]@host/x http://h:80/a@b'],
    ['curl -u me:S3 http://h', 'curl -u me:[redacted] http://h'],
    ['run --user 1000:1000 image', 'run --user 1000:1000 image'],
    ['cache_peer p parent 1 0 login=u:"a b" no-query', 'cache_peer p parent 1 0 login=[redacted] no-query'],
    [
      'auth_param basic program /usr/lib/squid/basic_ldap_auth -w S3 -h ldap',
      'auth_param basic program /usr/lib/squid/basic_ldap_auth -w [redacted] -h ldap',
    ],
    ['acl snmp snmp_community S3', 'acl snmp snmp_community [redacted]'],
    ['dhcp-option=tag:a,encap:175, 191, S3 # iSCSI', 'dhcp-option=tag:a,encap:175, 191, [redacted] # iSCSI'],
    ['dhcp-option=encap:175, 190, user', 'dhcp-option=encap:175, 190, user'],
    ['umbrella=deviceid:0102030405060708', 'umbrella=deviceid:[redacted]'],
    ['FOO_TOKEN=two words;more, too\nX=1', 'FOO_TOKEN=[redacted]\nX=1'],
    ['SSHPASS=a PGPASSWORD=b', 'SSHPASS=[redacted] PGPASSWORD=[redacted]'],
    ['requirepass S3\nport 6379', 'requirepass [redacted]\nport 6379'],
    ['<password>a</password>', '<password>[redacted]</password>'],
    ['volumes/<key>.tar of <host>', 'volumes/<key>.tar of <host>'],
    ['the user or password given', 'the user or password given'],
    ['private_key = """\na\n"""', 'private_key = """[redacted]"""'],
    [
      `started\n${'QUJD'.repeat(16)}\n2026-11-28T10:00:00.123456789Z QUJDREVGR0hJSg\n-----END PRIVATE KEY-----\nb`,
      'started\n[redacted]\n-----END PRIVATE KEY-----\nb',
    ],
    ['started\n-----END PRIVATE KEY-----', 'started\n-----END PRIVATE KEY-----'],
    ['password=', 'password='],
    ['the password was wrong', 'the password was wrong'],
    ['max_tokens=5 keyboard=de monkey: bar', 'max_tokens=5 keyboard=de monkey: bar'],
  ])('%j', (text, expected) => {
    expect(redact(text)).toBe(expected)
  })

  it('leaves a text without secrets as it is', () => {
    const text = '1763 10.0.0.7 TCP_HIT/200 5243 GET http://example.com/a - HIER_NONE/- text/plain\n'
    expect(redact(text.repeat(50))).toBe(text.repeat(50))
  })

  it('takes a secret out wherever it stands', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9+/]{12,40}$/)
    const noise = fc.string({ maxLength: 40 }).map((text) => text.replaceAll(/[^ a-z\n]/g, ' '))
    const form = fc.constantFrom(
      (value: string) => `DB_PASSWORD=${value}`,
      (value: string) => `"auth_token": "${value}"`,
      (value: string) => `Authorization: Bearer ${value}`,
      (value: string) => `proxy://user:${value.replaceAll('/', '_')}@host`,
      (value: string) => `-----BEGIN EC PRIVATE KEY-----\n${value}\n-----END EC PRIVATE KEY-----`,
    )
    fc.assert(
      fc.property(secret, noise, noise, form, (value, before, after, write) => {
        const text = redact(`${before}\n${write(value)}\n${after}`)
        expect(text.includes(value) || text.includes(value.replaceAll('/', '_'))).toBe(false)
      }),
    )
  })

  it('finds nothing more the second time', () => {
    fc.assert(
      fc.property(adversary, (text) => {
        const once = redact(text)
        expect(redact(once).length).toBeLessThanOrEqual(once.length + 200)
      }),
    )
  })

  it('takes work that grows with the length alone', () => {
    fc.assert(
      fc.property(adversary, fc.integer({ min: 1, max: 400 }), (unit, times) => {
        const text = unit.repeat(times)
        // A name looks back at its last 64 characters, and there is at most one name in two characters.
        expect(redactWithWork(text).work).toBeLessThanOrEqual(60 * text.length + 500)
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    '-----BEGIN',
    '-----BEGIN PRIVATE KEY',
    '://',
    '://a:',
    'token:',
    'token="',
    'password=\\',
    'a',
    '--token ',
    '"',
    '@',
    "key='",
    'token:[',
    'password: |\n',
    'password: |\n ',
    'token:\n  ',
    '"token":\n',
    '\nQUJDREVG\n-----END PRIVATE KEY-----',
    'proxy a:',
    '://a:x/',
    'TOKEN=x ',
    'Authorization: x="',
    'Authorization: \n ',
    'stats auth a:',
    'bearer abcdefghijklmnopqrst ',
    '\n- password:',
    'dhcp-option=a,a,a,',
    '\\"token\\":\\"',
  ])('twice as many of %j is twice the work', (unit) => {
    const work = (times: number): number => redactWithWork(unit.repeat(times)).work
    expect(work(20_000) / work(10_000)).toBeLessThan(2.1)
  })
})

const adversary = fc
  .array(
    fc.constantFrom(
      '-----BEGIN ',
      'PRIVATE KEY-----',
      '-----END ',
      '://',
      ':',
      '@',
      '=',
      '"',
      "'",
      '\\',
      'password',
      'token',
      '--secret',
      ' ',
      '\n',
      'x',
      '{',
      '/',
      'Authorization',
      '[',
      ']',
      '|',
      '\n  ',
      '- ',
      'stats auth ',
      'Bearer ',
      'proxy',
      'TOKEN',
      '-----END PRIVATE KEY-----',
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''))

describe('names', () => {
  it('that say secret, and those that only sound like it', () => {
    const names = [
      'DB_PASSWORD',
      'x-api-key',
      'licence_key',
      'AuthToken',
      'PRIVATE-KEY',
      'psk',
      'pass',
      'Cookie',
    ]
    expect(names.filter((name) => !isSecretName(name))).toEqual([])
    const others = [
      'monkey',
      'max_tokens',
      'passwordless',
      'compass',
      'author',
      'keyboard',
      'password_file',
      'CACHE',
    ]
    expect(others.filter(isSecretName)).toEqual([])
  })
})

describe('redaction of JSON', () => {
  it('goes by names, environment entries and flags', () => {
    expect(
      redactJson({
        Env: ['PATH=/bin', 'DB_PASSWORD=two words', 'UPSTREAM=http://u:p@h/'],
        Cmd: ['serve', '--token', 'abc', '--port', '53'],
        Labels: { 'com.acme.secret': 'x', other: 'kept' },
        Auth: { password: 5, empty: '', list: ['Authorization: Basic x'] },
        Tokens: ['x', { id: 5 }],
        env: [{ name: 'DB_PASSWORD', value: 'x' }],
        Count: 3,
        None: null,
      }),
    ).toEqual({
      Env: ['PATH=/bin', 'DB_PASSWORD=[redacted]', 'UPSTREAM=http://u:[redacted]@h/'],
      Cmd: ['serve', '--token', '[redacted]', '--port', '53'],
      Labels: { 'com.acme.secret': '[redacted]', other: 'kept' },
      Auth: { password: '[redacted]', empty: '', list: ['Authorization: [redacted]'] },
      Tokens: ['[redacted]', { id: 5 }],
      env: [{ name: 'DB_PASSWORD', value: '[redacted]' }],
      Count: 3,
      None: null,
    })
  })
})
