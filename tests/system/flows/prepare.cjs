// Makes the certificate of Node-RED's OPC UA nodes, as their first client does when it connects. Nodes that start in the
// same moment with none there would all make one, each over the others'.
//   node prepare.cjs ENDPOINT
const { OPCUAClient } = require("node-opcua");
const { createClientCertificateManager } = require("node-red-contrib-opcua/opcua/utils");

const clientCertificateManager = createClientCertificateManager();
const client = OPCUAClient.create({ clientCertificateManager, connectionStrategy: { maxRetry: 0 } });
clientCertificateManager.initialize()
  .then(() => client.connect(process.argv[2]))
  .then(() => client.disconnect())
  .then(() => process.exit(0), (error) => {
    console.error(error.message);
    process.exit(1);
  });
