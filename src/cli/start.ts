/** `npm start` is `slipway demo`. */
process.argv.splice(2, 0, 'demo')
await import('./main.ts')
