// The certificates of a verification: an authority of the mesh, a foreign one, and a leaf for each identity.

import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Issues leaves into folders of their own: cert-chain.pem, key.pem, root-cert.pem, as Istio's agent wants them. */
export class CertificateAuthority {
  readonly #folder: string;
  readonly #name: string;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  /** A new authority; `name` is that of its files and its organisation. */
  static async create(folder: string, name: string): Promise<CertificateAuthority> {
    await mkdir(folder, { recursive: true });
    const authority = new CertificateAuthority(folder, name);
    await run("openssl", [
      ...["req", "-x509", ...newKey, "-days", "2", "-subj", `/O=${name}`],
      ...["-keyout", authority.#path("key"), "-out", authority.certificate],
      ...["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"],
    ]);
    return authority;
  }

  /** The path of its own certificate. */
  get certificate(): string {
    return this.#path("pem");
  }

  /** A leaf for a name such as `URI:spiffe://…` or `DNS:istiod.istio-system.svc`; returns its folder. */
  async issue(name: string, folder: string): Promise<string> {
    await mkdir(folder, { recursive: true });
    const [key, request, extensions, leaf] = ["key.pem", "request.pem", "extensions", "cert-chain.pem"].map((file) =>
      join(folder, file),
    ) as [string, string, string, string];
    await run("openssl", ["req", ...newKey, "-subj", "/", "-keyout", key, "-out", request]);
    await writeFile(
      extensions,
      `subjectAltName=critical,${name}\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=critical,digitalSignature\n`,
    );
    await run("openssl", [
      ...["x509", "-req", "-in", request, "-CA", this.certificate, "-CAkey", this.#path("key"), "-CAcreateserial"],
      ...["-days", "1", "-extfile", extensions, "-out", leaf],
    ]);
    await copyFile(this.certificate, join(folder, "root-cert.pem"));
    await chmod(key, 0o644);
    return folder;
  }

  #path(extension: string): string {
    return join(this.#folder, `${this.#name}.${extension}`);
  }
}
