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

/** Of the integration tests those that ask no Engine, or one of their own: they run beside the others. */
const apart = [
  'apt',
  'archive',
  'build-faults',
  'compose',
  'dpkg-versions',
  'faults',
  'full-disk',
  'full-engine-disk',
  'install-sh-faults',
  'mmdebstrap',
  'overlay-scripts',
  'registry-access',
  'registry-install',
  'reproducible',
  'vendor',
]

const files = (topics: readonly string[]): string[] =>
  topics.map((topic) => `test/integration/${topic}.test.ts`)

const integration = {
  globalSetup: ['test/support/integration-setup.ts'],
  // One Engine and few cores: files run one after another.
  fileParallelism: false,
  testTimeout: 300_000,
  hookTimeout: 300_000,
}

export default defineConfig({
  test: {
    // Unless told, Vitest leaves one core idle: half of what a small machine has.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/golden/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      { test: { name: 'integration-apart', include: files(apart), ...integration } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: files(apart),
          ...integration,
        },
      },
      // Against the Engine in a container that test/run.mjs starts; else against the Engine that is there.
      {
        test: {
          name: 'integration-26',
          include: files(life),
          ...integration,
        },
      },
    ],
  },
})
