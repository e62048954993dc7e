// The user service as two processes on one database: one answers, the other works.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { captureLog } from "@docket/runtime/testing/log";
import { connectMesh } from "@docket/runtime/mesh";
import { openIdentity } from "@docket/runtime/service_settings";
import { eventually } from "@docket/runtime/testing/eventually";
import { freePort } from "@docket/runtime/testing/servers/process";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testParts } from "@docket/runtime/testing/test_parts";
import { describe, expect, it } from "@jest/globals";
import { readConfig } from "../config.ts";
import { startUserService } from "../service.ts";
import { mailServer } from "./mail_server.ts";
import { password } from "./world.ts";

function startMain(environment: Record<string, string>, ...args: string[]): ChildProcess & AsyncDisposable {
  const script = fileURLToPath(new URL("../main.ts", import.meta.url));
  const child = spawn(process.execPath, ["--no-warnings", script, ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return Object.assign(child, {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  });
}

describe("a server and a worker of the user service", () => {
  it("share the work: the server answers, and mail is sent by the worker, which only says that it is well", async () => {
    await using folder = await temporaryFolder();
    await using mails = await mailServer();
    const port = await freePort();
    const shared = { DOCKET_DATA_DIR: folder.path, SMTP_URL: mails.url.href, ...(await testParts(folder.path)) };
    const config = readConfig({ ...shared, USER_PORT: "0" });
    const { logger } = captureLog();
    await using server = await startUserService(config, { role: "server", logger });
    const identity = await openIdentity(Workload.GATEWAY, config);
    await using mesh = connectMesh({ identity, addresses: { user: [server.address] } });
    const sessions = mesh.client(SessionService);
    const headers = { "x-docket-client": "198.51.100.7" };
    await sessions.signUp({ email: "anna@example.com", password, displayName: "Anna" }, { headers });
    await sessions.requestPasswordReset({ email: "anna@example.com" }, { headers });
    expect(mails.received).toEqual([]);

    const settings = { ...shared, USER_PORT: String(port), LOG_LEVEL: "warn" };
    await using _ = startMain(settings, "--role", "worker");
    await eventually(() => expect(mails.received.join("\n")).toContain("Choose a new password"));
    await using direct = connectMesh({ identity, addresses: { user: [`127.0.0.1:${port}`] } });
    const answer = await direct.client(SessionService).getSignInOptions({}, { headers }).catch(ConnectError.from);
    expect(answer).toMatchObject({ code: Code.Unimplemented });
    const health = createClient(Health, direct.transport(SessionService));
    expect(await health.check({ service: "" })).toMatchObject({ status: Status.SERVING });
  });
});
