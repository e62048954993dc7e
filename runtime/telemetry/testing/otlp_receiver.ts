// A real receiver of OTLP over HTTP for tests: it reads the protobuf messages field by field, as opentelemetry-proto numbers
// them, so that what is asserted is what is on the wire.

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** A span as it came in. */
export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of its process and trace. */
  readonly parentSpanId: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly string[];
  readonly failed: boolean;
}

/** A metric as it came in; 1 is delta, 2 is cumulative, undefined for gauges. */
export interface ReceivedMetric {
  readonly service: string;
  readonly name: string;
  readonly temporality: number | undefined;
  readonly points: readonly { readonly attributes: Readonly<Record<string, unknown>>; readonly count: number }[];
}

/** A log record as it came in. */
export interface ReceivedLog {
  readonly service: string;
  readonly body: unknown;
  readonly severity: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly traceId: string;
}

export interface OtlpReceiver extends AsyncDisposable {
  /** `http://127.0.0.1:41234` */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  readonly spans: readonly ReceivedSpan[];
  readonly metrics: readonly ReceivedMetric[];
  readonly logs: readonly ReceivedLog[];
  /** All bytes that came in, for whoever looks for what must not be among them. */
  readonly bytes: readonly Buffer[];
  /** What is answered from now on; default 200. `never`: nothing. */
  answerWith(status: number | "never"): void;
}

/** Starts one on a free port. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const requests: { path: string; headers: IncomingHttpHeaders }[] = [];
  const spans: ReceivedSpan[] = [];
  const metrics: ReceivedMetric[] = [];
  const logs: ReceivedLog[] = [];
  const bytes: Buffer[] = [];
  let status: number | "never" = 200;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const { url: path = "", headers } = request;
    requests.push({ path, headers });
    if (status === "never") return;
    const body = Buffer.concat(parts);
    const message = headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
    if (status === 200) {
      bytes.push(message);
      if (path === "/v1/traces") spans.push(...spansOf(message));
      else if (path === "/v1/metrics") metrics.push(...metricsOf(message));
      else if (path === "/v1/logs") logs.push(...logsOf(message));
    }
    response.writeHead(status, { "content-type": "application/x-protobuf" }).end();
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    spans,
    metrics,
    logs,
    bytes,
    answerWith: (next) => {
      status = next;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Field = number | bigint | Uint8Array;
type Fields = ReadonlyMap<number, readonly Field[]>;

function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, Field[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const value =
      type === WireType.Varint
        ? reader.uint64()
        : type === WireType.LengthDelimited
          ? reader.bytes()
          : type === WireType.Bit64
            ? reader.double()
            : reader.float();
    fields.set(number, [...(fields.get(number) ?? []), value as Field]);
  }
  return fields;
}

function messages(fields: Fields, number: number): Fields[] {
  return (fields.get(number) ?? []).map((value) => fieldsOf(value as Uint8Array));
}

function text(fields: Fields, number: number): string {
  return Buffer.from((fields.get(number)?.[0] as Uint8Array | undefined) ?? []).toString();
}

function hex(fields: Fields, number: number): string {
  return Buffer.from((fields.get(number)?.[0] as Uint8Array | undefined) ?? []).toString("hex");
}

function whole(fields: Fields, number: number): number {
  return Number(fields.get(number)?.[0] ?? 0);
}

function attributesOf(fields: Fields, number: number): Record<string, unknown> {
  return Object.fromEntries(
    messages(fields, number).map((pair) => {
      const [value] = messages(pair, 2);
      return [text(pair, 1), value === undefined ? undefined : anyOf(value)];
    }),
  );
}

function anyOf(value: Fields): unknown {
  if (value.has(1)) return text(value, 1);
  if (value.has(2)) return whole(value, 2) === 1;
  if (value.has(3)) return whole(value, 3);
  return value.has(4) ? value.get(4)?.[0] : undefined;
}

/** resource_* = 1 { resource = 1, scope_* = 2 { items = 2 } } in all three signals. */
function itemsOf(bytes: Uint8Array): { service: string; item: Fields }[] {
  return messages(fieldsOf(bytes), 1).flatMap((resourced) => {
    const [resource = new Map()] = messages(resourced, 1);
    const service = String(attributesOf(resource, 1)["service.name"]);
    return messages(resourced, 2).flatMap((scoped) => messages(scoped, 2).map((item) => ({ service, item })));
  });
}

function spansOf(bytes: Uint8Array): ReceivedSpan[] {
  return itemsOf(bytes).map(({ service, item }) => ({
    service,
    name: text(item, 5),
    traceId: hex(item, 1),
    spanId: hex(item, 2),
    parentSpanId: hex(item, 4),
    kind: whole(item, 6),
    attributes: attributesOf(item, 9),
    links: messages(item, 13).map((link) => hex(link, 1)),
    failed: messages(item, 15).some((state) => whole(state, 3) === 2),
  }));
}

function metricsOf(bytes: Uint8Array): ReceivedMetric[] {
  return itemsOf(bytes).map(({ service, item }) => {
    const [data = new Map()] = [5, 7, 9].flatMap((kind) => messages(item, kind));
    const histogram = item.has(9);
    return {
      service,
      name: text(item, 1),
      temporality: item.has(5) ? undefined : whole(data, 2),
      points: messages(data, 1).map((point) => ({
        attributes: attributesOf(point, histogram ? 9 : 7),
        // fixed64, read as a double: the bits are the number.
        count: histogram ? Number(new BigUint64Array(Float64Array.of(point.get(4)?.[0] as number).buffer)[0] ?? 0n) : 1,
      })),
    };
  });
}

function logsOf(bytes: Uint8Array): ReceivedLog[] {
  return itemsOf(bytes).map(({ service, item }) => {
    const [body] = messages(item, 5);
    return {
      service,
      body: body === undefined ? undefined : anyOf(body),
      severity: text(item, 3),
      attributes: attributesOf(item, 6),
      traceId: hex(item, 9),
    };
  });
}
