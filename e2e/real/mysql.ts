// `npm run test:mysql`: the services' suites once more on a real MySQL, the newest that Debian unstable has. Its packages
// are fetched once and kept beside npm's cache.

import { homedir } from "node:os";
import { join } from "node:path";
import { startMysql } from "@docket/runtime/testing/servers/mysql";
import { startRedis } from "@docket/runtime/testing/servers/redis";
import { startS3 } from "@docket/runtime/testing/servers/s3";
import { runSuites } from "./suites.ts";

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "docket-mysql");
await using mysql = await startMysql(cache);
await using redis = await startRedis();
await using s3 = await startS3();
process.stdout.write(`MySQL ${mysql.version}\n`);
const { passed, failed, skipped } = await runSuites({ databaseUrl: mysql.url, redis, s3 }, { real: false });
process.stdout.write(`On MySQL ${mysql.version}: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = failed + skipped === 0 ? 0 : 1;
