// Node-RED without an editor: it runs its flow, and tells what the flow says, a JSON object on each line.
module.exports = {
  uiHost: "127.0.0.1",
  uiPort: Number(process.env.PORT),
  httpAdminRoot: false,
  httpNodeRoot: false,
  credentialSecret: false,
  externalModules: { autoInstall: false, palette: { allowInstall: false } },
  telemetry: { enabled: false, updateNotification: false },
  nodesDir: [],
  functionGlobalContext: { say: (event, rest) => process.stdout.write(`${JSON.stringify({ event, ...rest })}\n`) },
  logging: { console: { level: "warn" } },
};
