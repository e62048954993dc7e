// The certificates of a verification: an authority of the mesh, a foreign one, and a leaf for each identity.

import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { KubernetesObject } from "./objects.ts";
import { environments, namespaceOf, type Rendered } from "./render.ts";

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

/** One for each ServiceAccount, for the other environments' edges, for istiod and, by itself, for the edge's public name. */
export async function issueCertificates(folder: string, rendered: Rendered, domain: string) {
  const certificates = join(folder, "certificates");
  const path = (name: string) => join(certificates, name);
  const own = await CertificateAuthority.create(certificates, "mesh");
  const foreign = await CertificateAuthority.create(certificates, "foreign");
  const spiffe = (namespace: string, account: string) => `URI:spiffe://cluster.local/ns/${namespace}/sa/${account}`;
  const accounts = new Set(
    rendered.workloads
      .filter(({ kind }) => kind === "Deployment")
      .map(({ spec }) => spec.template.spec.serviceAccountName as string),
  );
  for (const account of accounts) await own.issue(spiffe(rendered.namespace, account), path(account));
  // The other environments' edges, which are nobody here.
  for (const environment of environments) {
    if (environment === rendered.environment) continue;
    await own.issue(spiffe(namespaceOf(environment), "gateway"), path(`${environment}-gateway`));
  }
  await foreign.issue(spiffe(rendered.namespace, "gateway"), path("foreign-gateway"));
  await own.issue("DNS:istiod.istio-system.svc", path("istiod"));
  // The edge's certificate is vouched for by itself: it is the only one that istiod must believe when it fetches keys.
  await foreign.issue(`DNS:${domain}`, path("edge"));
  const gateway = rendered.mesh.find(({ kind }) => kind === "Gateway");
  const reference = gateway?.spec?.listeners?.find((listener: { tls?: object }) => listener.tls)?.tls
    .certificateRefs[0];
  const read = async (name: string) => (await readFile(join(path("edge"), name))).toString("base64");
  const edge: KubernetesObject = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: reference?.name ?? "edge", namespace: reference?.namespace ?? rendered.namespace },
    type: "kubernetes.io/tls",
    data: { "tls.crt": await read("cert-chain.pem"), "tls.key": await read("key.pem") },
  };
  return { edge };
}
