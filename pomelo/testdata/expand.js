// Has Pomelo itself read configurations: argv is `env=<env>`, POMELO is its
// package, DIRS the application directories as a JSON list. Prints, for each,
// the master and the servers by id, or that Pomelo throws.
'use strict';
const pomelo = require(process.env.POMELO);
const exact = (k, v) => (typeof v === 'number' && !Number.isFinite(v) ? 'number ' + v : v);
const out = JSON.parse(process.env.DIRS).map((base) => {
  try {
    const app = pomelo.createApp({ base });
    return { master: app.getMaster(), servers: app.getServersFromConfig() };
  } catch (e) {
    return { throws: String(e) };
  }
});
process.stdout.write('\n' + JSON.stringify(out, exact) + '\n', () => process.exit(0));
