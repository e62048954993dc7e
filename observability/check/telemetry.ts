// Traces, metrics and log lines in OTLP's JSON, with everything in them that must not leave.

/** None of these may be found in anything that leaves. */
export const secrets = [
  "anna@example.com",
  "Quarterly figures",
  "figures.xlsx",
  "Bearer-of-bad-news",
  "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl",
  "dk_0123456789abcdef0123456789abcdef_randomrandomrandom",
  "session=9f8e7d",
  "correct horse battery",
  "203.0.113.7",
  "inline=1",
  "boat-race",
  "share=9c1f",
  "Duplicate entry",
  "--key-encryption-secret",
  "0198c0de-0000-7000-8000-00000000beef",
  "Plan of attack",
  "wrote-this",
] as const;

type Value = string | number;

function attributes(fields: Readonly<Record<string, Value>>) {
  return Object.entries(fields).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
  }));
}

const resource = {
  attributes: attributes({
    "service.name": "document",
    "service.instance.id": "document-1",
    "process.command_args": "node main.ts --key-encryption-secret",
  }),
};

export interface SpanOptions {
  readonly traceId: string;
  readonly spanId: string;
  readonly method: string;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  readonly failed?: boolean;
  readonly secretive?: boolean;
}

const began = 1_800_000_000_000n;

/** A span of an RPC's server. */
export function spanOf({ traceId, spanId, method, ms, failed = false, secretive = false }: SpanOptions) {
  const plain = { "rpc.system.name": "grpc", "rpc.method": method, "docket.request_id": "request-1" };
  const laden = {
    "http.request.header.authorization": "Bearer-of-bad-news",
    "http.request.header.cookie": "session=9f8e7d",
    "url.full": "https://files.example/files/documents/1?inline=1",
    "url.path": "/files/documents/1?boat-race",
    "docket.title": "Quarterly figures",
    "docket.file_name": "figures.xlsx",
    "client.address": "203.0.113.7",
    "network.peer.address": "203.0.113.7",
    "docket.subject": "0198c0de-0000-7000-8000-00000000beef",
    "db.query.text": "SELECT * FROM user WHERE email = 'anna@example.com'",
    "docket.note": "/files?share=9c1f asked by anna@example.com with eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl",
    "unheard.of": "correct horse battery",
    "error.message": "Duplicate entry 'Plan of attack'",
  };
  const events = [
    {
      name: "exception",
      timeUnixNano: String(began * 1_000_000n),
      attributes: attributes({
        "exception.type": "QueryFailed",
        "exception.message": "Duplicate entry anna@example.com",
      }),
    },
  ];
  return {
    resource,
    scopeSpans: [
      {
        scope: { name: "docket" },
        spans: [
          {
            traceId,
            spanId,
            // Whoever asks may send one, and proxies hand it on.
            ...(secretive && { traceState: "visitor=wrote-this" }),
            name: secretive ? `${method}?inline=1` : method,
            kind: 2,
            startTimeUnixNano: String(began * 1_000_000n),
            endTimeUnixNano: String((began + BigInt(ms)) * 1_000_000n),
            attributes: attributes(secretive ? { ...plain, ...laden } : plain),
            ...(secretive && { events }),
            status: failed ? { code: 2, message: "Duplicate entry anna@example.com" } : { code: 1 },
          },
        ],
      },
    ],
  };
}

const processBegan = String(BigInt(Date.now() - 60_000) * 1_000_000n);

/** A counter and a histogram, both as sums since a start. */
export function metricsOf(count: number) {
  const point = { startTimeUnixNano: processBegan, timeUnixNano: String(BigInt(Date.now()) * 1_000_000n) };
  const words = attributes({
    "rpc.method": "docket.document.v1.DocumentService/GetDocument",
    "user.email": "anna@example.com",
    "docket.title": "Quarterly figures",
  });
  return {
    resourceMetrics: [
      {
        resource,
        scopeMetrics: [
          {
            scope: { name: "docket" },
            metrics: [
              {
                name: "docket.events",
                sum: {
                  aggregationTemporality: 2,
                  isMonotonic: true,
                  dataPoints: [{ ...point, attributes: words, asInt: String(count) }],
                },
              },
              {
                name: "rpc.server.call.duration",
                unit: "s",
                histogram: {
                  aggregationTemporality: 2,
                  dataPoints: [
                    {
                      ...point,
                      attributes: words,
                      count: String(count),
                      sum: count / 10,
                      bucketCounts: [String(count), "0"],
                      explicitBounds: [0.5],
                    },
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  };
}

/** One log line, as the processes send it. */
export function logLine() {
  return {
    resourceLogs: [
      {
        resource,
        scopeLogs: [
          {
            scope: { name: "docket" },
            logRecords: [
              {
                timeUnixNano: String(began * 1_000_000n),
                severityText: "error",
                body: { stringValue: "call failed for anna@example.com" },
                traceId: "0af7651916cd43dd8448eb211c80319c",
                spanId: "b7ad6b7169203331",
                attributes: attributes({
                  request_id: "request-1",
                  rpc: "docket.document.v1.DocumentService/GetDocument",
                  subject: "0198c0de-0000-7000-8000-00000000beef",
                  authorization: "Bearer-of-bad-news",
                  title: "Quarterly figures",
                  name: "figures.xlsx",
                  client: "203.0.113.7",
                  client_address: "203.0.113.7",
                  user_id: "0198c0de-0000-7000-8000-00000000beef",
                  by: "0198c0de-0000-7000-8000-00000000beef",
                  password: "correct horse battery",
                  err: '{"message":"mysql://docket:hunter22@db/docket: no row of dk_0123456789abcdef0123456789abcdef_randomrandomrandom","cookie":"Basic c2Vzc2lvbj05Zjhl"}',
                }),
              },
            ],
          },
        ],
      },
    ],
  };
}
