import { expect, it } from 'vitest'
import { connectEngine } from '../../../src/engine/connect.ts'
import { caughtLater } from '../../support/caught.ts'

it('an Engine at an IPv6 address is asked there, and at its port', async () => {
  // Nobody answers there, at once: the address is of many hosts.
  const error = await caughtLater(() => connectEngine({ DOCKER_HOST: 'tcp://[ff02::1]:2375' }))
  expect(error.cause).toMatchObject({ address: 'ff02::1', port: 2375 })
})
