// The alarms of a tool as a SCADA client that shares no line with the server meets them: node-opcua subscribes at the
// module, the tool and the Server object, answers, shelves, refreshes, and tries what it may not.
//
//   node alarms.mjs --endpoint URL --operator USER:PASSWORD --engineer USER:PASSWORD --alarm NAME --tag PATH
//
// The engineer moves the set point PATH, on which the alarm stands. Each line of the output is a JSON object with the
// field `event`; the exit code is 0 only when everything went as it should.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import {
  AttributeIds, ClientMonitoredItem, DataType, LocalizedText, MessageSecurityMode,
  OPCUACertificateManager, OPCUAClient, SecurityPolicy, TimestampsToReturn, UserTokenType, constructEventFilter,
  installAlarmMonitoring, ofType, resolveNodeId, uninstallAlarmMonitoring,
} from "node-opcua";

const TOOL = "urn:cvd-supervisor:tool:";
const FIELDS = [
  "EventId", "EventType", "SourceName", "Message", "Severity", "ConditionName", "Retain", "ActiveState.Id",
  "AckedState.Id", "ConfirmedState.Id", "ShelvingState.CurrentState", "LimitState.CurrentState", "Comment",
];

const { values: options } = parseArgs({
  options: Object.fromEntries(
    ["endpoint", "operator", "engineer", "alarm", "tag"].map((name) => [name, { type: "string" }]),
  ),
});
const say = (event, rest = {}) => console.log(JSON.stringify({ event, ...rest }));

async function login(pki, person) {
  const certificates = new OPCUACertificateManager({ rootFolder: pki, automaticallyAcceptUnknownCertificate: true });
  await certificates.initialize();
  const client = OPCUAClient.create({
    applicationName: "cvd alarm test", clientCertificateManager: certificates, connectionStrategy: { maxRetry: 0 },
    endpointMustExist: false, securityMode: MessageSecurityMode.SignAndEncrypt,
    securityPolicy: SecurityPolicy.Basic256Sha256,
  });
  await client.connect(options.endpoint);
  const [userName, ...rest] = person.split(":");
  const session = await client.createSession({ type: UserTokenType.UserName, userName, password: rest.join(":") });
  const namespaces = await session.readNamespaceArray();
  const index = namespaces.findIndex((uri) => uri.startsWith(TOOL));
  return { client, session, node: (path) => resolveNodeId(`ns=${index};s=${path}`) };
}

/** Events at a node, as objects by field. */
async function listen(subscription, nodeId, where) {
  const filter = constructEventFilter(FIELDS, where);
  const item = ClientMonitoredItem.create(
    subscription, { nodeId, attributeId: AttributeIds.EventNotifier },
    { samplingInterval: 0, discardOldest: true, queueSize: 1000, filter }, TimestampsToReturn.Both,
  );
  const heard = [];
  item.on("changed", (values) => {
    const value = (index) => (values[index]?.value === undefined ? null : values[index].value);
    const one = Object.fromEntries(FIELDS.map((field, index) => [field, value(index)]));
    if (one.ConditionName === options.alarm || one.ConditionName === null) heard.push(one);
  });
  await new Promise((resolve, reject) => {
    item.once("initialized", resolve);
    item.once("err", (message) => reject(new Error(message)));
  });
  return { heard, id: item.monitoredItemId };
}

async function until(what, why, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = what();
    if (found) return found;
    if (Date.now() > end) throw new Error(`in vain: ${why}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const METHODS = { // Part 6, annex A: identifiers of the standard's nodes
  TimedShelve: 9213, OneShotShelve: 9212, Disable: 9028, ConditionRefresh: 3875, ConditionRefresh2: 12912,
};
const method = (name) => resolveNodeId(`ns=0;i=${METHODS[name]}`);
const word = (text) => text?.text ?? null;
const shape = (one) => ({
  active: one["ActiveState.Id"], acked: one["AckedState.Id"], confirmed: one["ConfirmedState.Id"],
  retain: one.Retain, severity: one.Severity, limit: word(one["LimitState.CurrentState"]),
  shelf: word(one["ShelvingState.CurrentState"]), comment: word(one.Comment), type: one.EventType?.value,
});

async function main(pki) {
  const operator = await login(pki, options.operator);
  const engineer = await login(pki, options.engineer);
  const { session } = operator;
  const condition = operator.node(`Alarms/${options.alarm}`);
  const module = options.tag.split("/").slice(0, 2).join("/");
  const write = async (value) => {
    const code = await engineer.session.write({
      nodeId: engineer.node(options.tag), attributeId: AttributeIds.Value,
      value: { value: { dataType: DataType.Double, value } },
    });
    if (!code.isGood()) throw new Error(`${options.tag} = ${value}: ${code.name}`);
  };
  const call = async (objectId, methodId, ...inputArguments) =>
    (await session.call({ objectId, methodId: method(methodId), inputArguments })).statusCode.name;

  const subscription = await session.createSubscription2({
    requestedPublishingInterval: 500, requestedLifetimeCount: 600, requestedMaxKeepAliveCount: 20,
    maxNotificationsPerPublish: 0, publishingEnabled: true, priority: 1,
  });
  const server = await listen(subscription, resolveNodeId("Server"), ofType("AlarmConditionType"));
  const places = { server, module: await listen(subscription, operator.node(module)) };
  places.tool = await listen(subscription, operator.node("."), ofType("ConditionType"));
  const monitored = await installAlarmMonitoring(session);

  // Shorter than a publishing interval: every change is told all the same, in order.
  await write(760);
  await write(700);
  await write(810);
  await until(() => server.heard.length >= 3, "three changes of the alarm");
  await until(() => Object.values(places).every((one) => one.heard.length >= server.heard.length), "all notifiers");
  say("raised", {
    server: server.heard.map(shape), module: places.module.heard.length, tool: places.tool.heard.length,
    source: server.heard[0].SourceName, message: word(server.heard.at(-1).Message),
  });
  await until(() => monitored.alarms().some((one) => one.conditionId.toString() === condition.toString()), "the list");
  say("monitored", { alarms: monitored.alarms().length });

  const last = () => server.heard.at(-1);
  const before = server.heard.length;
  const comment = new LocalizedText({ locale: "en", text: "seen" });
  const unknown = await session.acknowledgeCondition(condition, Buffer.from("nothing"), comment);
  const stale = await session.acknowledgeCondition(condition, server.heard[0].EventId, comment);
  const early = await session.confirmCondition(condition, last().EventId, comment);
  const acked = await session.acknowledgeCondition(condition, last().EventId, comment);
  const twice = await session.acknowledgeCondition(condition, last().EventId, comment);
  await until(() => server.heard.length > before, "the acknowledgement");
  const confirmed = await session.confirmCondition(condition, last().EventId, new LocalizedText({ text: "done" }));
  await until(() => last()["ConfirmedState.Id"] === true, "the confirmation");
  say("answered", {
    unknown: unknown.name, stale: stale.name, early: early.name, acked: acked.name, twice: twice.name,
    confirmed: confirmed.name, now: shape(last()),
  });

  const shelf = operator.node(`Alarms/${options.alarm}/ShelvingState`);
  const double = (value) => ({ dataType: DataType.Double, value });
  const tooLong = await call(shelf, "TimedShelve", double(1e12));
  const timed = await call(shelf, "TimedShelve", double(600));
  await until(() => word(last()["ShelvingState.CurrentState"]) === "Timed Shelved", "the shelf");
  await until(() => word(last()["ShelvingState.CurrentState"]) === "Unshelved", "the end of the shelf");
  const once = await call(shelf, "OneShotShelve");
  await until(() => word(last()["ShelvingState.CurrentState"]) === "One Shot Shelved", "the second shelf");
  const off = await call(condition, "Disable");
  say("shelved", { tooLong, timed, once, off });

  // Who comes late asks for everything that is of interest.
  const late = await listen(subscription, operator.node(module));
  const refreshed = await call(
    resolveNodeId("ConditionType"), "ConditionRefresh2",
    { dataType: DataType.UInt32, value: subscription.subscriptionId }, { dataType: DataType.UInt32, value: late.id },
  );
  await until(() => late.heard.length >= 3, "the refresh");
  const foreign = (await engineer.session.call({
    objectId: resolveNodeId("ConditionType"), methodId: method("ConditionRefresh"),
    inputArguments: [{ dataType: DataType.UInt32, value: subscription.subscriptionId }],
  })).statusCode.name;
  say("refreshed", {
    status: refreshed, foreign, types: late.heard.map((one) => one.EventType.value),
    same: late.heard[1].EventId.equals(last().EventId),
  });

  await write(700);
  await until(() => last()["ActiveState.Id"] === false, "the end of the alarm");
  say("cleared", shape(last()));
  await uninstallAlarmMonitoring(session);
  await subscription.terminate();
  for (const one of [operator, engineer]) {
    await one.session.close();
    await one.client.disconnect();
  }
}

const pki = await mkdtemp(join(tmpdir(), "cvd-alarms-"));
let code = 0;
try {
  await main(pki);
} catch (error) {
  say("failed", { reason: error.stack });
  code = 1;
} finally {
  await rm(pki, { recursive: true, force: true });
}
process.exit(code);
