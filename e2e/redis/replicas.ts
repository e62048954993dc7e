// Two gateways and two user services over one database and one Redis, in this process: the first gateway asks the first
// user service, the second the second. Documents and storage are one of each, and ask both.

import { readConfig as readDocumentConfig } from "@docket/document/config";
import { startDocumentService } from "@docket/document/service";
import { readConfig as readGatewayConfig } from "@docket/gateway/config";
import { startGateway } from "@docket/gateway/service";
import { openDataDir } from "@docket/runtime/data_dir";
import type { CallRecord } from "@docket/runtime/interceptors/options";
import { eventually } from "@docket/runtime/testing/eventually";
import { type CapturedLog, captureLog } from "@docket/runtime/testing/log";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testDatabase } from "@docket/runtime/testing/test_parts";
import { readConfig as readStorageConfig } from "@docket/storage/config";
import { startStorageService } from "@docket/storage/service";
import { readConfig as readUserConfig } from "@docket/user/config";
import { startUserService } from "@docket/user/service";

export interface Replicas extends AsyncDisposable {
  /** Where the two gateways are. */
  readonly urls: readonly [string, string];
  /** What every service said. */
  readonly log: CapturedLog;
  /** Calls of the user services that ended. */
  readonly calls: readonly CallRecord[];
  /** Waits until both gateways say that Redis is connected. */
  connected(timeoutMs?: number): Promise<void>;
}

export async function startReplicas(redisUrl: string, settings: Record<string, string> = {}): Promise<Replicas> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const log = captureLog("info");
  const calls: CallRecord[] = [];
  const environment = {
    DOCKET_DATA_DIR: folder.path,
    REDIS_URL: redisUrl,
    USER_PORT: "0",
    DOCUMENT_PORT: "0",
    STORAGE_PORT: "0",
    PORT: "0",
    RATE_LIMIT_PERCENT: "100000",
    EDGE_DRAIN_TIMEOUT: "1s",
    ...(await testDatabase(folder.path)),
    ...settings,
  };
  const says = (service: string) => ({ logger: log.logger.child({ service }) });
  parts.use(await openDataDir(folder.path));
  const observed = { observe: (call: CallRecord) => void calls.push(call) };
  const user = async () =>
    parts.use(await startUserService(readUserConfig(environment), { ...says("user"), ...observed }));
  const users = [await user(), await user()] as const;
  const withUsers = { ...environment, USER_ADDRESS: users.map(({ address }) => address).join(",") };
  const storage = parts.use(await startStorageService(readStorageConfig(withUsers), says("storage")));
  const withStorage = { ...withUsers, STORAGE_ADDRESS: storage.address };
  const document = parts.use(await startDocumentService(readDocumentConfig(withStorage), says("document")));
  const gateway = async (n: 0 | 1) => {
    const inside = { ...withStorage, DOCUMENT_ADDRESS: document.address, USER_ADDRESS: users[n].address };
    return parts.use(await startGateway(readGatewayConfig(inside), says(`gateway ${n}`)));
  };
  const urls = [(await gateway(0)).url, (await gateway(1)).url] as const;
  const owned = parts.move();
  return {
    urls,
    log,
    calls,
    async connected(timeoutMs = 30_000) {
      await eventually(
        async () => {
          const states = await Promise.all(
            urls.map(async (url) => ((await (await fetch(`${url}/readyz`)).json()) as { redis?: string }).redis),
          );
          return states.every((state) => state === "connected");
        },
        { timeoutMs },
      );
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
