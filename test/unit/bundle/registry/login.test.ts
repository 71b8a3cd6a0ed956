import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { Login } from '../../../../src/bundle/registry/login.ts'

it('a login serves also a request that was refused before it was made, and is not tried again once it is refused itself', async () => {
  let asked = 0
  const login = new Login({
    registry: 'registry.example',
    network: {},
    plain: true,
    credentials: async () => {
      asked++
      return { username: 'partner', password: 'secret' }
    },
  })
  const refused = (used: string | undefined) => login.answer('Basic realm="registry"', used)
  const authorization = `Basic ${Buffer.from('partner:secret').toString('base64')}`
  expect([await refused(undefined), await refused(undefined), await refused(authorization)]).toEqual([
    true,
    true,
    false,
  ])
  expect({ authorization: login.authorization, asked }).toEqual({ authorization, asked: 1 })
})

it.each([
  '',
  '[]',
  'null',
  '{}',
  '{"token":7}',
  '{"token":""}',
  '{"token":"two words"}',
  '{"token":"a\\r\\nx: y"}',
])('a token service that answers %s gives no token', async (answer) => {
  const service = http.createServer((_, response) => void response.end(answer))
  await once(service.listen(0, '127.0.0.1'), 'listening')
  const host = `127.0.0.1:${(service.address() as AddressInfo).port}`
  const login = new Login({
    registry: 'registry.example',
    network: {},
    plain: true,
    credentials: async () => undefined,
  })
  try {
    await expect(login.answer(`Bearer realm="http://${host}/token"`, undefined)).rejects.toMatchObject({
      message: `its token service ${host} gives no token`,
      retry: false,
    })
    expect(login.authorization).toBe(undefined)
  } finally {
    service.closeAllConnections()
    service.close()
  }
})
