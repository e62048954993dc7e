// A worker of the document service as a process of its own, on the data folder of another, until it is killed:
// `node worker_child.ts <folder> <days ahead>`. Run by roles.test.ts.

import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { testIdentity } from "@docket/runtime/testing/identities";
import { captureLog } from "@docket/runtime/testing/log";
import { testParts } from "@docket/runtime/testing/test_parts";
import { readConfig } from "../config.ts";
import { startDocumentService } from "../service.ts";
import { FakeBlobs } from "./fake_blobs.ts";
import { FakeUsers } from "./fake_users.ts";

const [folder = "", daysAhead = "0"] = process.argv.slice(2);
const aheadMs = Number(daysAhead) * 86_400_000;
const users = new FakeUsers({ id: "", x: "" });
const settings = { DOCKET_DATA_DIR: folder, DOCUMENT_PORT: "0", WORKER_LEASE: "1s", ...(await testParts(folder)) };
await startDocumentService(readConfig(settings), {
  role: "worker",
  identity: await testIdentity(Workload.DOCUMENT),
  logger: captureLog().logger,
  clock: () => new Date(Date.now() + aheadMs),
  clients: { ...users.clients(), blobs: new FakeBlobs().client() },
});
process.stdout.write("works\n");
