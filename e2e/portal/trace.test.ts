// One trace from a person's click to the statements in a database: begun by a real browser, recorded by every process on
// the way, and read from what they send to an OTLP endpoint.

import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from "@docket/runtime/telemetry/testing/otlp_receiver";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { handOf, upload } from "../demo/client.ts";
import { startWhole, type Whole } from "../kill.ts";
import { type Person, signUp } from "../person.ts";
import { settled, signIn, visit } from "./page.ts";
import { look } from "./world.ts";

const title = "Harbour dues of November";
const content = "The crane is ready at dawn.";

const parts = new AsyncDisposableStack();
let receiver: OtlpReceiver;
let whole: Whole;
let anna: Person;
let workspaceId: string;
let logged = "";

beforeAll(async () => {
  const folder = parts.use(await temporaryFolder());
  receiver = parts.use(await startOtlpReceiver());
  const settings = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_METRIC_EXPORT_INTERVAL: "1000",
    LOG_LEVEL: "debug",
  };
  whole = await startWhole(folder.path, settings, undefined, []);
  parts.defer(() => whole.end("SIGTERM"));
  whole.child.stderr?.on("data", (chunk) => {
    logged += chunk;
  });
  anna = await signUp(whole.url, "Anna");
  const { workspace } = await anna.workspaces.createWorkspace({ name: "Quay Office" });
  workspaceId = workspace?.id ?? "";
  const bytes = new Uint8Array(Buffer.from(content));
  const uploadId = await upload(handOf(whole.url, anna.secret), {
    workspaceId,
    name: "note.txt",
    mediaType: "text/plain",
    bytes,
  });
  await anna.documents.createDocument({ parent: { case: "workspaceId", value: workspaceId }, uploadId, title });
}, 300_000);
afterAll(() => parts.disposeAsync());

/** From a span up to the one whose parent nobody has sent. */
function pathUp(span: ReceivedSpan, spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  const parent = spans.find(({ spanId, traceId }) => spanId === span.parentSpanId && traceId === span.traceId);
  return parent === undefined ? [span] : [span, ...pathUp(parent, spans)];
}

describe("one trace", () => {
  it("goes from a click in the browser over the edge and the document service to the statement", async () => {
    const { page } = await look({ url: whole.url });
    await signIn(page, anna);
    await visit(page, `/w/${workspaceId}`);
    const named: string[] = [];
    page.on("request", (request) => named.push(request.headers().traceparent ?? ""));
    const asked = page.waitForRequest(/DocumentService\/GetDocument$/);
    await page.getByRole("link", { name: title }).first().click();
    const [, clicked, traceId, spanId] =
      /^(00)-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec((await (await asked).headerValue("traceparent")) ?? "") ?? [];
    expect(clicked).toBe("00");
    await settled(page);

    const rpc = "docket.document.v1.DocumentService/GetDocument";
    const path = await eventually(() => {
      const statement = receiver.spans.find(
        (span) =>
          span.traceId === traceId &&
          span.service === "document" &&
          span.attributes["db.query.summary"] === "SELECT document" &&
          pathUp(span, receiver.spans).length >= 4,
      );
      return statement === undefined ? false : pathUp(statement, receiver.spans);
    });
    expect(path.map(({ service, name, kind }) => [service, name, kind])).toEqual([
      ["document", "SELECT document", 3],
      ["document", rpc, 2],
      ["gateway", rpc, 3],
      ["gateway", `POST ${rpc}`, 2],
    ]);
    // Its parent is the click, and nothing in between.
    expect(path.at(-1)?.parentSpanId).toBe(spanId);
    expect(path[0]?.attributes).toMatchObject({ "db.system.name": "sqlite", "db.namespace": "document" });
    expect(path[0]?.attributes["db.query.text"]).toMatch(/^select .* from .*document.* where .*\?/);
    // All calls that the click set off are beneath it, as many as the browser has sent.
    await eventually(() => {
      const sent = named.filter((header) => header.includes(`-${traceId}-${spanId}-`));
      const beneath = receiver.spans.filter((span) => span.traceId === traceId && span.parentSpanId === spanId);
      expect(beneath.map(({ service }) => service)).toEqual(sent.map(() => "gateway"));
    });
  }, 120_000);

  it("goes through the portal's process where that asks for what a page shows", async () => {
    const { page } = await look({ url: whole.url });
    await signIn(page, anna);
    await visit(page, `/w/${workspaceId}`);
    const rpc = "docket.document.v1.DocumentService/ListDocuments";
    const path = await eventually(() => {
      const made = receiver.spans.filter(({ service, name }) => service === "document" && name === rpc);
      return made.map((span) => pathUp(span, receiver.spans)).find(({ length }) => length === 7) ?? false;
    });
    expect(path.map(({ service, name }) => `${service} ${name}`)).toEqual([
      `document ${rpc}`,
      `gateway ${rpc}`,
      `gateway POST ${rpc}`,
      "web edge",
      "web GET page",
      "gateway portal",
      "gateway GET portal",
    ]);
  }, 120_000);

  it("is found from the log, and neither holds what people wrote, who they are or what they sign in with", async () => {
    await eventually(() => receiver.logs.some(({ body, service }) => body === "request" && service === "gateway"));
    const { traceId } = receiver.spans.find(({ name }) => name.endsWith("DocumentService/GetDocument")) ?? {};
    await eventually(() => logged.includes(`"trace_id":"${traceId}"`));
    await eventually(() => receiver.metrics.some(({ name }) => name === "rpc.server.call.duration"));
    const sent = Buffer.concat([...receiver.bytes]).toString("latin1");
    for (const said of [title, content, "Quay Office", "note.txt", anna.email, anna.password, anna.secret]) {
      expect([said, logged.includes(said), sent.includes(said)]).toEqual([said, false, false]);
    }
  });
});
