// An OPC UA client that shares no line with the server: node-opcua browses, subscribes, adds, approves and runs a
// recipe to completion, as a factory would.
//
//   node client.mjs --endpoint URL --writer USER:PASSWORD --approver USER:PASSWORD --operator USER:PASSWORD
//                   --recipe FILE [--timeout SECONDS]
//
// Each line of its output is a JSON object with the field `event`; the exit code is 0 only when the run completed.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import {
  AttributeIds,
  ClientMonitoredItemGroup,
  ClientSubscription,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
  UserTokenType,
  resolveNodeId,
} from "node-opcua";

const TOOL = "urn:cvd-supervisor:tool:";
const OPERATION_DIAGNOSTICS = 0x03e0;
const FINAL = new Set(["COMPLETE", "STOPPED", "ABORTED"]);
const FOLDERS = [
  "Identification", "State", "Equipment", "Telemetry", "ProcessModes", "Recipes", "Runs", "Services", "Interlocks",
  "Alarms", "Results", "Spc", "Diagnostics",
];

const say = (event, rest = {}) => console.log(JSON.stringify({ event, ...rest }));

const { values: options } = parseArgs({
  options: {
    endpoint: { type: "string" },
    writer: { type: "string" },
    approver: { type: "string" },
    operator: { type: "string" },
    recipe: { type: "string" },
    timeout: { type: "string", default: "120" },
    standby: { type: "boolean", default: false },
  },
});
for (const name of ["endpoint", "writer", "approver", "operator", "recipe"]) {
  if (!options[name]) {
    console.error(`--${name} is missing`);
    process.exit(2);
  }
}

/** A session over a signed and encrypted channel; without a user an anonymous one. */
async function login(pki, person) {
  const certificates = new OPCUACertificateManager({ rootFolder: pki, automaticallyAcceptUnknownCertificate: true });
  await certificates.initialize();
  const client = OPCUAClient.create({
    applicationName: "cvd system test",
    clientCertificateManager: certificates,
    connectionStrategy: { maxRetry: 0 },
    endpointMustExist: false,
    securityMode: MessageSecurityMode.SignAndEncrypt,
    securityPolicy: SecurityPolicy.Basic256Sha256,
  });
  await client.connect(options.endpoint);
  const [userName, ...rest] = (person ?? "").split(":");
  const identity = userName
    ? { type: UserTokenType.UserName, userName, password: rest.join(":") }
    : { type: UserTokenType.Anonymous };
  try {
    const session = await client.createSession(identity);
    const namespaces = await session.readNamespaceArray();
    const index = namespaces.findIndex((uri) => uri.startsWith(TOOL));
    return new Tool(client, session, index, namespaces[index].slice(TOOL.length));
  } catch (error) {
    await client.disconnect();
    throw error;
  }
}

/** One tool, addressed by paths below its object. */
class Tool {
  constructor(client, session, namespace, name) {
    Object.assign(this, { client, session, namespace, name });
  }

  node(path) {
    return resolveNodeId(`ns=${this.namespace};s=${path}`);
  }

  async close() {
    await this.session.close();
    await this.client.disconnect();
  }

  async children(path) {
    const result = await this.session.browse({
      nodeId: this.node(path), referenceTypeId: "HierarchicalReferences", browseDirection: 0, includeSubtypes: true,
      nodeClassMask: 0, resultMask: 63,
    });
    return [...new Set(result.references.map((reference) => reference.browseName.name))];
  }

  async read(path, attributeId = AttributeIds.Value) {
    const data = await this.session.read({ nodeId: this.node(path), attributeId });
    if (!data.statusCode.isGoodish()) throw new Error(`${path}: ${data.statusCode.toString()}`);
    return data.value.value;
  }

  /** Calls a method; a refusal is an error with its status and reason. */
  async call(path, method, ...inputArguments) {
    const request = { objectId: this.node(path), methodId: this.node(`${path}/${method}`), inputArguments };
    const answer = await this.session.callWithDiagnostics([request], OPERATION_DIAGNOSTICS);
    const [result] = answer.results;
    if (!result.statusCode.isGood()) {
      const error = new Error(`${path}/${method}: ${result.statusCode.name}`);
      error.status = result.statusCode.name;
      error.reason = answer.diagnosticInfos[0]?.additionalInfo ?? "";
      throw error;
    }
    return result.outputArguments.map((output) => output.value);
  }
}

const text = (value) => ({ dataType: DataType.String, value });
const count = (value) => ({ dataType: DataType.UInt32, value });

async function browse(tool) {
  const found = await tool.children(".");
  const missing = FOLDERS.filter((folder) => !found.includes(folder));
  if (missing.length) throw new Error(`the tool shows no ${missing.join(", ")}`);
  const modules = {};
  for (const module of await tool.children("Equipment")) {
    modules[module] = (await tool.children(`Equipment/${module}`)).length;
  }
  const zone = "Telemetry/chamber_pressure_torr";
  const range = await tool.read(`${zone}/EURange`);
  const units = await tool.read(`${zone}/EngineeringUnits`);
  say("browsed", {
    tool: tool.name, folders: found, modules, interlocks: await tool.children("Interlocks"),
    pressure: { low: range.low, high: range.high, unit: units.displayName.text, unitId: units.unitId },
  });
}

async function follow(tool, paths) {
  const subscription = ClientSubscription.create(tool.session, {
    requestedPublishingInterval: 100, requestedLifetimeCount: 600, requestedMaxKeepAliveCount: 20,
    maxNotificationsPerPublish: 0, publishingEnabled: true, priority: 1,
  });
  const latest = new Map();
  let notifications = 0;
  const group = ClientMonitoredItemGroup.create(
    subscription,
    paths.map((path) => ({ nodeId: tool.node(path), attributeId: AttributeIds.Value })),
    { samplingInterval: 100, discardOldest: true, queueSize: 10 },
    TimestampsToReturn.Both,
  );
  group.on("changed", (item, data, index) => {
    notifications += 1;
    const value = ArrayBuffer.isView(data.value.value) ? [...data.value.value] : data.value.value;
    latest.set(paths[index], { value, good: data.statusCode.isGoodish() });
  });
  await new Promise((resolve, reject) => {
    subscription.once("started", resolve);
    subscription.once("internal_error", reject);
  });
  return { latest, count: () => notifications, stop: () => subscription.terminate() };
}

async function until(what, seconds) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = what();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`nothing came within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Run the operation that brings the tool to its idle state: after its start it is disarmed, and a furnace cools. */
async function standBy(tool) {
  await tool.call("Services", "Start", text("standby"));
  const [operations] = await tool.call("Runs", "ListRuns", text(""), count(0), count(1));
  const { run_id: run } = JSON.parse(operations)[0];
  const end = Date.now() + Number(options.timeout) * 1000;
  for (;;) {
    const [record] = await tool.call("Runs", "GetRun", text(run));
    const { status } = JSON.parse(record);
    if (status === "COMPLETE") return;
    if (FINAL.has(status) || Date.now() > end) throw new Error(`standby: ${record}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function story(pki, opened) {
  const open = async (person) => {
    const tool = await login(pki, person);
    opened.push(tool);
    return tool;
  };
  const writer = await open(options.writer);
  await browse(writer);

  const document = await readFile(options.recipe, "utf8");
  const [recipe, version] = await writer.call("Recipes", "AddRecipe", text(document));
  say("added", { recipe, version });
  try {
    await writer.call("Recipes", "ApproveRecipe", text(recipe), count(version), text("by its own author"));
    throw new Error("the author approved the own recipe");
  } catch (error) {
    if (!error.status) throw error;
    say("refused", { status: error.status, reason: error.reason });
  }
  const approver = await open(options.approver);
  await approver.call("Recipes", "ApproveRecipe", text(recipe), count(version), text("system test"));
  say("approved", { recipe, version });

  const operator = await open(options.operator);
  if (options.standby) await standBy(operator);

  const active = "Runs/ActiveRun";
  const paths = [
    `${active}/State`, `${active}/StepName`, `${active}/Progress`, "Telemetry/chamber_pressure_torr",
    "Telemetry/temperature_zones_c", "State/Mode",
  ];
  const followed = await follow(operator, paths);
  await until(() => (followed.latest.size === paths.length ? true : undefined), 10);
  say("subscribed", { values: Object.fromEntries(followed.latest) });
  const [run, number] = await operator.call(
    "Runs", "CreateRun", text(recipe), count(version), text("node-opcua"), text("W01"), text("{}"),
  );
  say("created", { run, number });
  await operator.call("Runs", "StartRun", text(run));
  say("started", { run });
  let step;
  let begun = false; // Until then the state is that of the operation before.
  const end = await until(() => {
    const name = followed.latest.get(`${active}/StepName`)?.value;
    if (name && name !== step) say("step", { name: (step = name) });
    const state = followed.latest.get(`${active}/State`)?.value;
    begun ||= state === "RUNNING";
    return begun && FINAL.has(state) ? state : undefined;
  }, Number(options.timeout));
  const [record] = await operator.call("Runs", "GetRun", text(run));
  const [results] = await operator.call("Runs", "GetResults", text(run));
  say("ended", {
    state: end, notifications: followed.count(), run: JSON.parse(record), results: JSON.parse(results),
  });
  await followed.stop();
  return end === "COMPLETE";
}

const pki = await mkdtemp(join(tmpdir(), "cvd-node-"));
const opened = [];
let completed = false;
try {
  completed = await story(pki, opened);
} catch (error) {
  say("failed", { error: error.message, status: error.status, reason: error.reason });
} finally {
  for (const tool of opened) await tool.close().catch(() => undefined);
  await rm(pki, { recursive: true, force: true });
}
process.exit(completed ? 0 : 1);
