import { defineConfig } from 'vitest/config'

/** Of the integration tests those that live with an appliance: what an Engine of another age could do otherwise. */
const life = [
  'backup',
  'drift-reset',
  'engine-port',
  'install-command',
  'load-image',
  'memory',
  'mutex',
  'preflight',
  'restart-policy',
  'state',
  'status',
]

const integration = {
  globalSetup: ['test/support/integration-setup.ts'],
  // One Engine and few cores: files run one after another.
  fileParallelism: false,
  testTimeout: 300_000,
  hookTimeout: 300_000,
}

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/golden/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...integration } },
      // Against Engine 26.1 where test/run.mjs starts it; else against the Engine that is there.
      {
        test: {
          name: 'integration-26',
          include: life.map((topic) => `test/integration/${topic}.test.ts`),
          ...integration,
        },
      },
    ],
  },
})
