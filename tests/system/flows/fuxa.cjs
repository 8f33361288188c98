// FUXA's own OPC UA driver, driven as FUXA's device host drives it: list of endpoints, connection with a person's
// password, browsing, polling of subscribed tags, writing from a screen.
//   node fuxa.cjs ENDPOINT USER PASSWORD TAG SETPOINT WANTED
// TAG and SETPOINT are paths below the tool. Each line of output is a JSON object with the field `event`.
const { EventEmitter } = require("node:events");
const { version } = require("@frangoteam/fuxa/package.json");
const driver = require("@frangoteam/fuxa/runtime/devices/opcua");

const [endpoint, uid, pwd, tag, setpoint, wanted] = process.argv.slice(2);
const say = (event, rest = {}) => console.log(JSON.stringify({ event, ...rest }));
const complaints = [];
const logger = { info: () => undefined, warn: (text) => complaints.push(text), error: (text) => complaints.push(text) };
const POLLING_MS = 100;

async function until(what, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await new Promise((done) => setTimeout(done, 20))) {
    const found = await what();
    if (found !== undefined && found !== null && found !== false) return found;
  }
  throw new Error(`nothing came within ${seconds} s: ${what}`);
}

async function main() {
  const events = new EventEmitter();
  const heard = [];
  events.on("device-status:changed", ({ status }) => heard.push(status));
  const data = {
    id: "d1", name: "tool", type: "OPCUA", enabled: true, polling: POLLING_MS, property: { address: endpoint }, tags: {},
  };
  // What FUXA offers a person to choose from in its editor, and what the person chooses.
  driver.init({});
  const offered = await driver.getEndPoints(endpoint);
  const mode = offered.find((one) => one.securityPolicy.endsWith("#Basic256Sha256") && one.securityMode === "3");
  say("endpoints", { version, offered, mode });

  const device = driver.create(data, logger, events, null, {});
  device.bindGetProperty(async () => ({ value: JSON.stringify({ uid, pwd, mode }) }));
  device.bindAddDaq(() => undefined);
  await device.connect();
  say("connected", { status: device.getStatus(), connected: device.isConnected() });

  const objects = await device.browse({ id: "ns=0;i=85" });
  const tool = objects.find(({ id }) => id.namespace > 1);
  const below = (path) => `ns=${tool.id.namespace};s=${path}`;
  const modules = await device.browse({ id: below("Equipment") });
  const node = await device.readAttribute({ id: below(setpoint) });
  say("browsed", { modules: [...new Set(modules.map(({ name }) => name))], attributes: Object.values(node.attribute) });

  const daq = { enabled: false, interval: 60, changed: false };
  for (const path of [tag, setpoint]) {
    data.tags[path] = { id: path, name: path, type: "Double", address: below(path), daq: { ...daq } };
  }
  device.load(data);
  const poll = async (path) => {
    await device.polling();
    return device.getValue(path)?.value;
  };
  const values = {};
  for (const path of [tag, setpoint]) values[path] = await until(() => poll(path));
  say("polled", { values });

  const asked = await device.setValue(setpoint, wanted);
  await until(async () => (await poll(setpoint)) === Number(wanted));
  say("written", { asked, value: device.getValue(setpoint).value });
  await device.disconnect();
  say("closed", { statuses: heard, complaints });
}

main().then(() => process.exit(0), (error) => {
  say("failed", { reason: error?.stack ?? String(error), complaints });
  process.exit(1);
});
