// Loads a NodeSet2 file into node-opcua's own address space and tells what it found there.
//   node nodeset.mjs FILE
import { AddressSpace, generateAddressSpace, nodesets } from "node-opcua";

const space = AddressSpace.create();
await generateAddressSpace(space, [nodesets.standard, process.argv[2]]);
const [types, tool] = ["urn:cvd-supervisor:types", "urn:cvd-supervisor:tool:"].map((uri) =>
  space.getNamespaceArray().find((one) => one.namespaceUri.startsWith(uri)));
const range = space.findNode(`ns=${tool.index};s=Equipment/heater/zone1.temperature_c/EURange`);
const structure = space.findDataType("RunDataType", types.index);
console.log(JSON.stringify({
  event: "loaded",
  namespace: tool.namespaceUri,
  range: [range.readValue().value.value.low, range.readValue().value.value.high],
  run_fields: structure.getStructureDefinition().fields.map((field) => field.name),
  machine: space.findObjectType("RunStateMachineType", types.index).subtypeOfObj.browseName.name,
}));
space.dispose();
