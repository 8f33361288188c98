// Logs in under every security policy and mode, and reads a value; a line of JSON for each.
//   node policies.mjs ENDPOINT USER PASSWORD FOLDER
import { MessageSecurityMode, OPCUACertificateManager, OPCUAClient, SecurityPolicy, UserTokenType } from "node-opcua";

const [endpoint, userName, password, rootFolder] = process.argv.slice(2);
const certificates = new OPCUACertificateManager({ rootFolder, automaticallyAcceptUnknownCertificate: true });
await certificates.initialize();
for (const policy of ["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"]) {
  for (const mode of ["Sign", "SignAndEncrypt"]) {
    const client = OPCUAClient.create({
      clientCertificateManager: certificates,
      connectionStrategy: { maxRetry: 0 },
      endpointMustExist: false,
      securityMode: MessageSecurityMode[mode],
      securityPolicy: SecurityPolicy[policy],
    });
    await client.connect(endpoint);
    const session = await client.createSession({ type: UserTokenType.UserName, userName, password });
    const data = await session.read({ nodeId: "ns=3;s=State/Mode", attributeId: 13 });
    console.log(JSON.stringify({ policy, mode, value: data.value.value }));
    await session.close();
    await client.disconnect();
  }
}
process.exit(0);
