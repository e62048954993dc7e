// A server of tus 1.0 in memory, behind the browser's XMLHttpRequest: it keeps counts and what the bytes were, and loses
// requests and answers when it is told to.

interface Stored {
  readonly size: number;
  readonly partial: boolean;
  offset: number;
  whole: boolean;
  into: string;
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export interface TusServer {
  /** The methods of all requests, in their order. */
  readonly log: string[];
  /** Which parts were joined. */
  readonly joined: string[][];
  /** How many bytes came in all bodies together, those of cut requests included. */
  readonly received: number;
  bytesOf(id: string): number;
  /** Whether its bytes are those of the file, each in its place. */
  isWhole(id: string): boolean;
  describe(id: string): { concatenatedInto: string };
  /** The nth request of a method from now on gets no answer, and its body is lost. */
  cutNext(method: string, nth: number): void;
  refuseNext(method: string, status: number, reason: string): void;
  /** Removes all uploads before the next request of a method. */
  forgetBeforeNext(method: string): void;
  /** Joins, but does not say so. */
  loseNextJoin(): void;
  before(method: string, nth: number, act: () => void): void;
  close(): void;
}

interface Plan {
  readonly method: string;
  left: number;
  readonly act: () => Answer | "cut" | undefined;
}

export function tusServer(): TusServer {
  const uploads = new Map<string, Stored>();
  const log: string[] = [];
  const joined: string[][] = [];
  const plans: Plan[] = [];
  let received = 0;
  let loseJoin = false;
  let ids = 0;
  const problem = (status: number, reason: string): Answer => ({
    status,
    body: JSON.stringify({ reason, message: "…" }),
  });
  const plan = (method: string, nth: number, act: Plan["act"]) => void plans.push({ method, left: nth, act });
  const add = (stored: Stored): string => {
    ids += 1;
    uploads.set(`u${ids}`, stored);
    return `u${ids}`;
  };
  const firstByte = new Map<string, number>();

  /** Takes bytes, and looks whether each is what the file has there (see fileOf in the test). */
  function take(id: string, stored: Stored, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (!firstByte.has(id)) firstByte.set(id, bytes[0] ?? 0);
    const first = firstByte.get(id) ?? 0;
    for (let at = 0; at < bytes.length; at += 4093) {
      if (bytes[at] !== (first + stored.offset + at) % 251) stored.whole = false;
    }
    stored.offset += bytes.length;
  }

  function post(headers: Headers, body: Uint8Array): Answer {
    const concat = headers.get("upload-concat") ?? "";
    if (concat.startsWith("final;")) {
      const parts = concat
        .slice(6)
        .trim()
        .split(" ")
        .map((url) => url.split("/").at(-1) ?? "");
      const stored = parts.map((part) => uploads.get(part));
      if (stored.some((part) => part === undefined || part.into !== "")) return problem(403, "UPLOAD_STATE_CONFLICT");
      const size = stored.reduce((sum, part) => sum + (part?.offset ?? 0), 0);
      const whole = stored.every((part) => part?.whole);
      const id = add({ size, partial: false, offset: size, whole, into: "" });
      for (const part of stored) if (part) part.into = id;
      joined.push(parts);
      return { status: 201, headers: { location: `/files/uploads/${id}` } };
    }
    const size = Number(headers.get("upload-length"));
    const id = add({ size, partial: concat === "partial", offset: 0, whole: true, into: "" });
    const stored = uploads.get(id) as Stored;
    take(id, stored, body);
    return { status: 201, headers: { location: `/files/uploads/${id}`, "upload-offset": String(stored.offset) } };
  }

  function answer(method: string, url: string, headers: Headers, body: Uint8Array): Answer | "cut" {
    log.push(method);
    received += body.length;
    for (const one of plans.filter((planned) => planned.method === method)) {
      one.left -= 1;
      if (one.left > 0) continue;
      plans.splice(plans.indexOf(one), 1);
      const given = one.act();
      if (given !== undefined) return given;
      break;
    }
    if (method === "POST") {
      const given = post(headers, body);
      if (!loseJoin || !headers.get("upload-concat")?.startsWith("final;")) return given;
      loseJoin = false;
      return "cut";
    }
    const id = url.split("/").at(-1) ?? "";
    const stored = uploads.get(id);
    if (stored === undefined) return problem(404, "NOT_FOUND");
    if (method === "PATCH") {
      if (Number(headers.get("upload-offset")) !== stored.offset) return problem(409, "UPLOAD_OFFSET_CONFLICT");
      take(id, stored, body);
    }
    return { status: 200, headers: { "upload-offset": String(stored.offset), "upload-length": String(stored.size) } };
  }

  const before = globalThis.XMLHttpRequest;
  globalThis.XMLHttpRequest = requestClass(answer);
  return {
    log,
    joined,
    get received() {
      return received;
    },
    bytesOf: (id) => uploads.get(id)?.offset ?? -1,
    isWhole: (id) => uploads.get(id)?.whole === true && uploads.get(id)?.offset === uploads.get(id)?.size,
    describe: (id) => ({ concatenatedInto: uploads.get(id)?.into ?? "" }),
    cutNext: (method, nth) => plan(method, nth, () => "cut"),
    refuseNext: (method, status, reason) => plan(method, 1, () => problem(status, reason)),
    forgetBeforeNext: (method) =>
      plan(method, 1, () => {
        uploads.clear();
        return undefined;
      }),
    loseNextJoin() {
      loseJoin = true;
    },
    before: (method, nth, act) =>
      plan(method, nth, () => {
        act();
        return "cut";
      }),
    close() {
      globalThis.XMLHttpRequest = before;
    },
  };
}

type Answering = (method: string, url: string, headers: Headers, body: Uint8Array) => Answer | "cut";

/** As much of XMLHttpRequest as an upload needs. */
function requestClass(answer: Answering): typeof XMLHttpRequest {
  class Request extends EventTarget {
    readonly upload = new EventTarget();
    status = 0;
    responseText = "";
    #method = "";
    #url = "";
    #aborted = false;
    #headers = new Headers();
    #answered = new Headers();
    open(method: string, url: string): void {
      this.#method = method;
      this.#url = url;
    }
    setRequestHeader(name: string, value: string): void {
      this.#headers.set(name, value);
    }
    getResponseHeader(name: string): string | null {
      return this.#answered.get(name);
    }
    abort(): void {
      this.#aborted = true;
    }
    async send(body: Blob | null): Promise<void> {
      const bytes = body === null ? new Uint8Array() : new Uint8Array(await body.arrayBuffer());
      if (this.#aborted) return;
      const given = answer(this.#method, this.#url, this.#headers, bytes);
      await Promise.resolve();
      if (this.#aborted) return;
      if (given === "cut") {
        this.dispatchEvent(new Event("error"));
        return;
      }
      this.status = given.status;
      this.responseText = given.body ?? "";
      this.#answered = new Headers(given.headers);
      this.dispatchEvent(new Event("load"));
    }
  }
  return Request as unknown as typeof XMLHttpRequest;
}
