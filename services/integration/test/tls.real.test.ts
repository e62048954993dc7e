// Deliveries over https, with certificates of an authority that the operator trusts.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { serverTls } from "@docket/runtime/testing/servers/certificates";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";

const child = fileURLToPath(new URL("../egress/tls_child.ts", import.meta.url));

describe("a delivery over https", () => {
  it("is made where the certificate is good for the name, and nowhere else", async () => {
    await using folder = await temporaryFolder();
    const { ca, cert, key } = await serverTls("IP:127.0.0.1,DNS:receiver.example");
    const file = join(folder.path, "ca.pem");
    await writeFile(file, ca);
    const hosts: (string | undefined)[] = [];
    const server = createServer({ cert, key }, (request, response) => {
      hosts.push(request.headers.host);
      response.end("taken");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const send = async (env: NodeJS.ProcessEnv, ...hostnames: string[]) => {
      const urls = hostnames.map((name) => `https://${name}:${port}/hook`);
      const { stdout } = await promisify(execFile)(process.execPath, [child, ...urls], {
        env: { ...process.env, ...env },
      });
      return (JSON.parse(stdout) as { status: number; failure?: string }[]).map(
        ({ status, failure }) => failure ?? status,
      );
    };
    const trusted = { NODE_EXTRA_CA_CERTS: file };
    expect(await send(trusted, "receiver.example", "127.0.0.1", "other.example")).toEqual([200, 200, "tls"]);
    expect(await send({}, "receiver.example")).toEqual(["tls"]);
    // Nothing switches the verification off.
    expect(await send({ NODE_TLS_REJECT_UNAUTHORIZED: "0" }, "receiver.example")).toEqual(["tls"]);
    expect(hosts).toEqual([`receiver.example:${port}`, `127.0.0.1:${port}`]);
    server.close();
  });
});
