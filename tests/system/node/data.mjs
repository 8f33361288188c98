// Values and their past, asked for by a client that shares no line with the server: sampling faster than publishing,
// deadbands absolute and in percent, queues that overflow, triggering; history raw and in pages, processed, at moments, of
// events.
//
//   node data.mjs --endpoint URL --user USER:PASSWORD --start MS --rows N
//
// After `{"event":"subscribed"}` it waits for the values to move and for a line on standard input. Each line of its
// output is a JSON object with the field `event`.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

import {
  AggregateFunction,
  AttributeIds,
  ClientMonitoredItem,
  ClientSubscription,
  DataChangeFilter,
  DataChangeTrigger,
  DeadbandType,
  HistoryReadRequest,
  MessageSecurityMode,
  MonitoringMode,
  OPCUACertificateManager,
  OPCUAClient,
  ReadAtTimeDetails,
  ReadEventDetails,
  ReadRawModifiedDetails,
  SecurityPolicy,
  TimestampsToReturn,
  UserTokenType,
  constructEventFilter,
  resolveNodeId,
} from "node-opcua";

const PRESSURE = "Telemetry/chamber_pressure_torr";
const say = (event, rest = {}) => console.log(JSON.stringify({ event, ...rest }));
const { values: options } = parseArgs({
  options: { endpoint: { type: "string" }, user: { type: "string" }, start: { type: "string" }, rows: { type: "string" } },
});

const pki = await mkdtemp(join(tmpdir(), "cvd-node-"));
const certificates = new OPCUACertificateManager({ rootFolder: pki, automaticallyAcceptUnknownCertificate: true });
await certificates.initialize();
const client = OPCUAClient.create({
  applicationName: "cvd data test",
  clientCertificateManager: certificates,
  connectionStrategy: { maxRetry: 0 },
  endpointMustExist: false,
  securityMode: MessageSecurityMode.SignAndEncrypt,
  securityPolicy: SecurityPolicy.Basic256Sha256,
});
await client.connect(options.endpoint);
const [userName, password] = options.user.split(":");
const session = await client.createSession({ type: UserTokenType.UserName, userName, password });
const namespace = (await session.readNamespaceArray()).findIndex((uri) => uri.startsWith("urn:cvd-supervisor:tool:"));
const node = (path) => resolveNodeId(`ns=${namespace};s=${path}`);

const subscription = ClientSubscription.create(session, {
  requestedPublishingInterval: 100,
  requestedLifetimeCount: 600,
  requestedMaxKeepAliveCount: 10,
  publishingEnabled: true,
  maxNotificationsPerPublish: 0,
});
const seen = { all: [], band: [], percent: [], short: [], quiet: [] };
async function watch(name, path, parameters, mode = MonitoringMode.Reporting) {
  const item = ClientMonitoredItem.create(
    subscription,
    { nodeId: node(path), attributeId: AttributeIds.Value },
    { samplingInterval: 10, queueSize: 1, discardOldest: true, ...parameters },
    TimestampsToReturn.Both,
    mode,
  );
  item.on("changed", (data) => seen[name].push([data.value.value, data.statusCode.value]));
  await new Promise((resolve, reject) => item.on("initialized", resolve).on("err", (text) => reject(new Error(text))));
  return item;
}
const band = (deadbandType, deadbandValue) =>
  new DataChangeFilter({ trigger: DataChangeTrigger.StatusValue, deadbandType, deadbandValue });
const range = (await session.read({ nodeId: node(`${PRESSURE}/EURange`), attributeId: AttributeIds.Value })).value.value;
const percent = (2.5 / (range.high - range.low)) * 100;
const all = await watch("all", PRESSURE, { queueSize: 20 });
await watch("band", PRESSURE, { queueSize: 20, filter: band(DeadbandType.Absolute, 2.5) });
await watch("percent", PRESSURE, { queueSize: 20, filter: band(DeadbandType.Percent, percent) });
await watch("short", PRESSURE, { queueSize: 3 });
const quiet = await watch("quiet", "Equipment/heater/zone1.temperature_c", { queueSize: 5 }, MonitoringMode.Sampling);
const linked = await session.setTriggering({
  subscriptionId: subscription.subscriptionId,
  triggeringItemId: all.monitoredItemId,
  linksToAdd: [quiet.monitoredItemId],
  linksToRemove: [],
});
say("subscribed", { sampling: all.result.revisedSamplingInterval, links: linked.addResults.map((code) => code.name) });

await new Promise((resolve) => createInterface({ input: process.stdin }).once("line", resolve));
for (let left = 100; left > 0 && seen.all.length < 11; left -= 1) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
say("seen", seen);

const start = Number(options.start);
const rows = Number(options.rows);
const raw = await session.readHistoryValue(node(PRESSURE), new Date(start), new Date(start + rows * 1000));
say("raw", { status: raw.statusCode.name, values: raw.historyData.dataValues.map((one) => one.value?.value ?? null) });
const processed = await session.readAggregateValue(
  { nodeId: node(PRESSURE) },
  new Date(start),
  new Date(start + 20_000),
  AggregateFunction.Average,
  10_000,
);
say("processed", { values: processed.historyData.dataValues.map((one) => [one.value.value, one.statusCode.value]) });
/** Ask for the history of a node, page by page. */
async function history(path, historyReadDetails) {
  const pages = [];
  let continuationPoint;
  do {
    const { results: [result] } = await session.performMessageTransaction(new HistoryReadRequest({
      historyReadDetails,
      nodesToRead: [{ nodeId: node(path), continuationPoint }],
      releaseContinuationPoints: false,
      timestampsToReturn: TimestampsToReturn.Both,
    }));
    if (!result.statusCode.isGood()) throw new Error(`${path}: ${result.statusCode.toString()}`);
    pages.push(result.historyData);
    ({ continuationPoint } = result);
  } while (continuationPoint?.length);
  return pages;
}
const span = { startTime: new Date(start), endTime: new Date(start + rows * 1000) };
const pages = await history(PRESSURE, new ReadRawModifiedDetails({ ...span, numValuesPerNode: 15, isReadModified: false }));
say("pages", { values: pages.map(({ dataValues }) => dataValues.map((one) => one.value.value)) });
const [at] = await history(
  PRESSURE, new ReadAtTimeDetails({ reqTimes: [new Date(start + 1500)], useSimpleBounds: false }),
);
say("at", { values: at.dataValues.map((one) => [one.value.value, one.statusCode.value]) });
const filter = constructEventFilter(["EventId", "Message", "Severity"]);
const told = await history(".", new ReadEventDetails({ ...span, numValuesPerNode: 2, filter }));
say("events", {
  pages: told.map(({ events }) => events.map(({ eventFields: [id, message, severity] }) =>
    [id.value.toString("hex"), message.value.text, severity.value])),
});
await subscription.terminate();
await session.close();
await client.disconnect();
await rm(pki, { recursive: true, force: true });
process.exit(0);
