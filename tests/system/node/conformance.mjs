// Walks the whole address space, decodes structures by what the server says of them, keeps a subscription over renewals
// of its channel and logs in with a person's certificate, with its own key and with another's.
//   node conformance.mjs ENDPOINT USER PASSWORD FOLDER RECORD...
// Each RECORD is the path of a variable that holds a structure. FOLDER holds person.der, person.pem (its key) and stranger.pem (another key). Each line of output is a JSON object.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  AttributeIds,
  ClientMonitoredItem,
  ClientSubscription,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
  UserTokenType,
} from "node-opcua";

const [endpoint, userName, password, folder, ...records] = process.argv.slice(2);
const RENEWALS = 3;
const say = (event, rest = {}) => console.log(JSON.stringify({ event, ...rest }));
const certificates = new OPCUACertificateManager({
  rootFolder: join(folder, "node"), automaticallyAcceptUnknownCertificate: true,
});
await certificates.initialize();

async function open(policy, identity, more = {}) {
  const client = OPCUAClient.create({
    clientCertificateManager: certificates,
    connectionStrategy: { maxRetry: 0 },
    endpointMustExist: false,
    securityMode: MessageSecurityMode.SignAndEncrypt,
    securityPolicy: SecurityPolicy[policy],
    ...more,
  });
  await client.connect(endpoint);
  try {
    return [client, await client.createSession(identity)];
  } catch (error) {
    await client.disconnect();
    throw error;
  }
}

async function walk(session) {
  const names = new Map();
  const nameless = [];
  let wave = ["ns=0;i=85"];
  while (wave.length) {
    const next = [];
    for (let first = 0; first < wave.length; first += 100) {
      const asked = wave.slice(first, first + 100).map((nodeId) => ({
        nodeId, referenceTypeId: "HierarchicalReferences", browseDirection: 0, includeSubtypes: true,
        nodeClassMask: 0, resultMask: 63,
      }));
      for (const [index, result] of (await session.browse(asked)).entries()) {
        if (!result.statusCode.isGood()) throw new Error(`${wave[first + index]}: ${result.statusCode.toString()}`);
        let { references, continuationPoint } = result;
        for (;;) {
          for (const { nodeId, displayName } of references) {
            const id = nodeId.toString();
            if (!displayName.text) nameless.push(id);
            if (!names.has(id)) {
              names.set(id, displayName.text);
              next.push(id);
            }
          }
          if (!continuationPoint?.length) break;
          ({ references, continuationPoint } = await session.browseNext(continuationPoint, false));
        }
      }
    }
    wave = next;
  }
  return { nodes: names.size, nameless };
}

const person = { type: UserTokenType.UserName, userName, password };
// The client renews its channel twice a second; the server has no say in how early a client does.
const [client, session] = await open("Basic256Sha256", person, { tokenRenewalInterval: 500 });
let renewals = 0;
client.on("security_token_renewed", () => (renewals += 1));
const namespace = (await session.readNamespaceArray()).findIndex((uri) => uri.startsWith("urn:cvd-supervisor:tool:"));

const subscription = ClientSubscription.create(session, {
  requestedPublishingInterval: 100, requestedLifetimeCount: 600, requestedMaxKeepAliveCount: 10,
  publishingEnabled: true, maxNotificationsPerPublish: 0,
});
let ended = false;
subscription.on("terminated", () => (ended = true));
let latest;
let arrived = () => undefined;
const item = ClientMonitoredItem.create(
  subscription,
  { nodeId: `ns=${namespace};s=Telemetry/chamber_pressure_torr`, attributeId: AttributeIds.Value },
  { samplingInterval: 50, queueSize: 10, discardOldest: true },
  TimestampsToReturn.Both,
);
await new Promise((resolve) => {
  arrived = resolve;
  item.on("changed", (data) => {
    latest = data.value.value;
    arrived();
  });
});

say("walked", await walk(session));
// node-opcua knows no structure of ours beforehand: it makes a class of each DataTypeDefinition and decodes with it.
const decoded = {};
for (const path of records) {
  const { statusCode, value } = await session.read({ nodeId: `ns=${namespace};s=${path}`, attributeId: AttributeIds.Value });
  const structure = value.value;
  decoded[path] = { status: statusCode.name, type: structure?.constructor.name, fields: structure?.toJSON?.() };
}
say("structures", { decoded });
let record;
await new Promise((resolve) => {
  const watched = ClientMonitoredItem.create(
    subscription, { nodeId: `ns=${namespace};s=${records[0]}`, attributeId: AttributeIds.Value },
    { samplingInterval: 50, queueSize: 2, discardOldest: true }, TimestampsToReturn.Both,
  );
  watched.on("changed", (data) => {
    record = data.value.value;
    resolve();
  });
});
say("followed", { type: record.constructor.name, fields: record.toJSON() });

while (renewals < RENEWALS) await new Promise((resolve) => client.once("security_token_renewed", resolve));
const moved = new Promise((resolve) => (arrived = resolve));
say("renewed");
await moved;
say("kept", { renewals, latest, ended });
await subscription.terminate();
await session.close();
await client.disconnect();

const certificateData = await readFile(join(folder, "person.der"));
for (const policy of ["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"]) {
  const told = { policy };
  for (const key of ["person", "stranger"]) {
    const privateKey = await readFile(join(folder, `${key}.pem`), "utf8");
    try {
      const [other, own] = await open(policy, { type: UserTokenType.Certificate, certificateData, privateKey });
      const mode = await own.read({ nodeId: `ns=${namespace};s=State/Mode`, attributeId: AttributeIds.Value });
      told[key] = mode.value.value;
      await own.close();
      await other.disconnect();
    } catch (error) {
      told[key] = error.message;
    }
  }
  say(policy, told);
}
process.exit(0);
