// `npm run migrate [-- up | down … | status]`: the migrations of every service, one after the other, each as its own
// command, as a deployment runs them. With one DATABASE_URL for all, `{service}` in it stands for the service's name.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const services = fileURLToPath(new URL("../services", import.meta.url));

for (const service of readdirSync(services).sort()) {
  const command = `${services}/${service}/migrate.ts`;
  if (!existsSync(command)) continue;
  const child = spawn(process.execPath, [command, ...process.argv.slice(2)], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) {
    process.exitCode = code ?? 1;
    break;
  }
}
