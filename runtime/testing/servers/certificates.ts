// Certificates of servers that tests start: an authority made for one test, and one leaf of it.

import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "../temporary_folder.ts";
import { needCommand } from "./process.ts";

/** PEM texts of a server that speaks TLS, and of the authority that vouches for it. */
export interface ServerTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** `names` as OpenSSL writes them. Default: this machine, `IP:127.0.0.1,DNS:localhost`. */
export async function serverTls(names = "IP:127.0.0.1,DNS:localhost"): Promise<ServerTls> {
  const openssl = needCommand("openssl", "Debian's package openssl");
  await using folder = await temporaryFolder();
  const run = (...parameters: string[]) => promisify(execFile)(openssl, parameters, { cwd: folder.path });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=Test authority",
  );
  await run("req", ...newKey, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=Test server");
  await writeFile(join(folder.path, "extensions"), `subjectAltName=${names}\n`);
  const signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions"];
  await run("x509", "-req", "-in", "request.pem", "-out", "cert.pem", "-days", "2", ...signer);
  const [ca, cert, key] = await Promise.all(
    ["ca.pem", "cert.pem", "key.pem"].map((name) => readFile(join(folder.path, name), "utf8")),
  );
  return { ca: ca ?? "", cert: cert ?? "", key: key ?? "" };
}
