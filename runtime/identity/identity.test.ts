import { describe, expect, it, jest } from "@jest/globals";
import { X509Certificate } from "node:crypto";
import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, createServer, type PeerCertificate, type TLSSocket } from "node:tls";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloads } from "@docket/contracts/policy";
import { reasonOf, StartError } from "../errors.ts";
import { testIdentities, testIdentity, testMesh } from "../testing/identities.ts";
import { temporaryFolder } from "../testing/temporary_folder.ts";
import { openAuthority } from "./authority.ts";
import { forwardedCertificateHeader } from "./forwarded.ts";
import { developmentIdentity, leafLifetimeMs, loadDevelopmentIdentity, loadIdentity, spiffeId } from "./identity.ts";

function refuse(fault: string | undefined): Error | undefined {
  return fault === undefined ? undefined : new Error(fault);
}

function refusal(judge: () => unknown): Reason | undefined {
  try {
    judge();
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

describe("a development identity", () => {
  it("has a leaf with its SPIFFE id, signed by the folder's authority, for a day", async () => {
    await using folder = await temporaryFolder();
    using identity = await loadDevelopmentIdentity({ dataDir: folder.path, workload: Workload.GATEWAY });
    const { certificate, key, ca, expiresAt } = identity.current();
    const leaf = new X509Certificate(certificate);
    const authority = new X509Certificate(ca);
    expect(leaf.subjectAltName).toBe("URI:spiffe://docket.local/ns/docket/sa/gateway");
    expect(leaf.ca).toBe(false);
    expect(leaf.verify(authority.publicKey) && leaf.checkIssued(authority)).toBe(true);
    expect(authority.ca && authority.verify(authority.publicKey)).toBe(true);
    expect(expiresAt.getTime() - Date.now()).toBeGreaterThan(leafLifetimeMs - 60_000);
    expect(key).toContain("PRIVATE KEY");
  });

  it("shares one authority among processes that start at once, readable by its owner only", async () => {
    await using folder = await temporaryFolder();
    const identities = await Promise.all(
      workloads.map((workload) => loadDevelopmentIdentity({ dataDir: folder.path, workload })),
    );
    expect(new Set(identities.map((identity) => identity.current().ca)).size).toBe(1);
    expect(await readdir(join(folder.path, "mesh"))).toEqual(["authority.pem"]);
    expect((await stat(join(folder.path, "mesh", "authority.pem"))).mode & 0o777).toBe(0o600);
    for (const identity of identities) identity[Symbol.dispose]();
  });

  it("keeps its authority across restarts, and takes back a key that others could read", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "mesh", "authority.pem");
    const first = await openAuthority(folder.path, "docket.local", new Date());
    await chmod(path, 0o644);
    const second = await openAuthority(folder.path, "docket.local", new Date());
    expect(second.certificate).toBe(first.certificate);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("says in one sentence that the authority is damaged, foreign or too old", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "mesh", "authority.pem");
    await openAuthority(folder.path, "docket.local", new Date());
    await expect(openAuthority(folder.path, "other.local", new Date())).rejects.toThrow(
      /not one of the trust domain other\.local/,
    );
    await expect(openAuthority(folder.path, "docket.local", new Date("2050-01-01"))).rejects.toThrow(/ended on/);
    const text = await readFile(path, "utf8");
    for (const damaged of [
      "",
      text.slice(0, 300),
      text.replace(/MII/, "MIJ"),
      text.replace(/-----BEGIN PRIVATE.*/s, ""),
    ]) {
      await writeFile(path, damaged);
      const failed = openAuthority(folder.path, "docket.local", new Date());
      await expect(failed).rejects.toThrow(/^The mesh's authority \S+ is damaged: remove it and start again; [^.]+\.$/);
      await expect(failed).rejects.toBeInstanceOf(StartError);
    }
  });

  it("says in one sentence that the folder cannot be used", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "mesh"), "a file");
    await expect(openAuthority(folder.path, "docket.local", new Date())).rejects.toThrow(
      /cannot be read \(ENOTDIR\)\.$/,
    );
  });

  it("renews its leaf before it ends and tells who listens", async () => {
    await using folder = await temporaryFolder();
    const authority = await openAuthority(folder.path, testMesh.trustDomain, new Date());
    let now = Date.now();
    jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate"] });
    try {
      using identity = developmentIdentity(authority, testMesh, Workload.USER, () => new Date(now));
      const first = identity.current();
      const renewed: string[] = [];
      const stop = identity.onRenewed(({ certificate }) => renewed.push(certificate));
      now += leafLifetimeMs / 2;
      jest.advanceTimersByTime(60_000);
      expect(identity.current()).toBe(first);
      now += leafLifetimeMs / 4;
      jest.advanceTimersByTime(60_000);
      expect(renewed).toEqual([identity.current().certificate]);
      expect(renewed[0]).not.toBe(first.certificate);
      stop();
      now += leafLifetimeMs;
      expect(identity.current().expiresAt.getTime()).toBeGreaterThan(now);
      expect(renewed).toHaveLength(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it("is accepted by TLS on both sides, and each side reads the other's name", async () => {
    const [gateway, user] = await testIdentities(Workload.GATEWAY, Workload.USER);
    const { certificate: cert, key, ca } = user.current();
    const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const seen = new Promise<string>((resolve) =>
        server.once("secureConnection", (socket) => resolve(socket.getPeerCertificate().subjectaltname ?? "")),
      );
      const mine = gateway.current();
      const socket = await new Promise<TLSSocket>((resolve, reject) => {
        const opened = connect(
          {
            port: (server.address() as { port: number }).port,
            cert: mine.certificate,
            key: mine.key,
            ca: mine.ca,
            checkServerIdentity: (_host: string, { subjectaltname }: PeerCertificate) =>
              refuse(gateway.faultOfServer(subjectaltname ?? "", Workload.USER)),
          },
          () => resolve(opened),
        ).once("error", reject);
      });
      expect(user.workloadOf({ address: "127.0.0.1", subjectAltName: await seen }, new Headers())).toBe(
        Workload.GATEWAY,
      );
      expect(gateway.faultOfServer(socket.getPeerCertificate().subjectaltname ?? "", Workload.DOCUMENT)).toBeDefined();
      socket.destroy();
    } finally {
      server.close();
    }
  });
});

describe("workloadOf with mTLS", () => {
  const of = (workload: Workload) => `URI:${spiffeId(workload, testMesh)}`;

  it("knows every other workload of its mesh", async () => {
    using identity = await testIdentity(Workload.DOCUMENT);
    for (const workload of workloads.filter((other) => other !== Workload.DOCUMENT)) {
      expect(identity.workloadOf({ address: "10.0.0.1", subjectAltName: of(workload) }, new Headers())).toBe(workload);
    }
  });

  it("refuses a peer without exactly one well-formed name of another workload of its mesh", async () => {
    using identity = await testIdentity(Workload.DOCUMENT);
    const gateway = of(Workload.GATEWAY);
    const hostile = [
      "",
      of(Workload.DOCUMENT),
      "DNS:gateway",
      `${gateway}, ${of(Workload.USER)}`,
      `${gateway}, ${gateway}`,
      `${gateway},${of(Workload.USER)}`,
      `URI:"forged,true, ${gateway}"`,
      `DNS:"a, ${gateway}, b", DNS:c`,
      `DNS:"a\\", ${gateway}`,
      gateway.replace("test.docket.local", "evil.example"),
      gateway.replace("test.docket.local", "test.docket.local.evil.example"),
      gateway.replace("/ns/docket/", "/ns/other/"),
      gateway.replace("gateway", "GATEWAY"),
      gateway.replace("gateway", "unspecified"),
      `${gateway}/`,
      `${gateway}/../user`,
      `${gateway}?x`,
      `${gateway}#x`,
      `${gateway}%2f`,
      `${gateway}\0`,
      `${gateway} `,
      gateway.replace("URI:", "URI: "),
      gateway.replace("spiffe:", "SPIFFE:"),
      gateway.replace("spiffe://", "spiffe://user@"),
      gateway.replace("URI:", "DNS:"),
    ];
    const accepted = hostile.filter(
      (subjectAltName) =>
        refusal(() => identity.workloadOf({ address: "10.0.0.1", subjectAltName }, new Headers())) !==
        Reason.CALLER_UNKNOWN,
    );
    expect(accepted).toEqual([]);
  });

  it("does not look at a sidecar's header", async () => {
    using identity = await testIdentity(Workload.DOCUMENT);
    const headers = new Headers({ [forwardedCertificateHeader]: `URI=${spiffeId(Workload.GATEWAY, testMesh)}` });
    expect(refusal(() => identity.workloadOf({ address: "127.0.0.6", subjectAltName: "" }, headers))).toBe(
      Reason.CALLER_UNKNOWN,
    );
  });
});

describe("workloadOf behind a sidecar", () => {
  const mesh = { trustDomain: "cluster.local", namespace: "docket" };
  const id = (workload: Workload) => spiffeId(workload, mesh);
  const [gateway, user, self] = [id(Workload.GATEWAY), id(Workload.USER), id(Workload.DOCUMENT)];
  const load = () => loadIdentity({ ...mesh, mode: "sidecar", dataDir: "/nowhere", workload: Workload.DOCUMENT });
  const genuine = `By=${self};Hash=ab12;Subject="";URI=${gateway}`;

  async function judge(header: string, address = "127.0.0.6") {
    using identity = await load();
    const headers = new Headers(header === "" ? {} : { [forwardedCertificateHeader]: header });
    return identity.workloadOf({ address, subjectAltName: `URI:${user}` }, headers);
  }

  it("has no certificates of its own", async () => {
    using identity = await load();
    expect(() => identity.current()).toThrow("The sidecar holds");
    expect(identity.mode).toBe("sidecar");
  });

  it("reads the last element, which its own sidecar wrote", async () => {
    const well = [
      genuine,
      `URI=${gateway}`,
      `By=${user};Hash=cd;URI=${id(Workload.WEB)},${genuine}`,
      `By=${user};Subject="O=a\\", b; c";URI=${user}, ${genuine}`,
      genuine.replace('Subject=""', 'Subject="CN=a, O=\\"b\\"; URI=x"'),
      genuine.replace("URI=", "uri="),
    ];
    for (const header of well) expect(await judge(header)).toBe(Workload.GATEWAY);
  });

  it("accepts it only from the sidecar's address", async () => {
    for (const address of ["127.0.0.1", "127.0.0.60", "10.1.2.3", "::1", ""]) {
      await expect(judge(genuine, address)).rejects.toMatchObject({ reason: Reason.CALLER_UNKNOWN });
    }
  });

  it("refuses everything that is not exactly one name of another workload in a well-formed header", async () => {
    const hostile = [
      "",
      "forged,true",
      `${genuine},forged`,
      `forged,true,${genuine}`,
      `${genuine},`,
      `,${genuine}`,
      `By=${self};Hash=ab12`,
      `By=${self};URI=${gateway};URI=${user}`,
      `By=${self};URI=${gateway};uri=${user}`,
      `By=${user};URI=${gateway}`,
      `By=${self};URI=${self}`,
      `By=${self};URI=spiffe://evil.example/ns/docket/sa/gateway`,
      `By=${self};URI=spiffe://cluster.local/ns/other/sa/gateway`,
      `By=${self};URI=`,
      `By=${self};URI="${gateway}`,
      `By=${self};URI="${gateway}"x`,
      `By=${self};URI="${gateway},${user}"`,
      `By=${self};URI=${gateway}\\`,
      `By=${self};;URI=${gateway}`,
      `By=${self} URI=${gateway}`,
      `URI=${gateway};Subject=",By=${self};Hash=ab;Subject="";URI=${user}`,
      `URI=${gateway};Subject=",By=${self};Hash=ab;URI=${user}`,
      `URI=${gateway};Subject="\\",By=${self};Hash=ab;Subject="CN=x";URI=${user}`,
      `${"a=b,".repeat(5000)}${genuine}`,
    ];
    const accepted: string[] = [];
    for (const header of hostile) {
      const verdict = await judge(header).catch((error) => reasonOf(error));
      if (verdict !== Reason.CALLER_UNKNOWN) accepted.push(header);
    }
    expect(accepted).toEqual([]);
  });
});
