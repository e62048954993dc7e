// Why the edge refused, read by hand: the contract's own classes weigh ten times what the worker does.

/** Values of docket.error.v1.Reason that decide how a stream goes on. */
export const reasons = {
  sessionRequired: 3,
  sessionInvalid: 4,
  resume: 15,
  limitReached: 105,
  accountDisabled: 217,
  cursorInvalid: 310,
  cursorExpired: 311,
} as const;

export interface Refusal {
  /** A value of docket.error.v1.Reason; 0: somebody else answered, or nobody. */
  readonly reason: number;
  /** How long to wait first, in milliseconds. */
  readonly retryAfterMs: number;
}

export const unreached: Refusal = { reason: 0, retryAfterMs: 0 };

/** Reads an error of Connect's in JSON. Whatever it is handed, it does not throw. */
export function refusalOf(error: unknown): Refusal {
  try {
    const { details = [] } = error as { details?: { type: string; value: string }[] };
    const info = details.find(({ type }) => type === "docket.error.v1.ErrorInfo");
    if (info === undefined) return unreached;
    const fields = fieldsOf(Uint8Array.from(atob(info.value), (letter) => letter.charCodeAt(0)));
    const wait = fields.get(5);
    const seconds = wait instanceof Uint8Array ? fieldsOf(wait).get(1) : 0;
    const reason = fields.get(1);
    return {
      reason: typeof reason === "number" ? reason : 0,
      retryAfterMs: typeof seconds === "number" ? seconds * 1000 : 0,
    };
  } catch {
    return unreached;
  }
}

/** The last value of each field of a message: numbers, and bytes of what has a length. */
function fieldsOf(bytes: Uint8Array): Map<number, number | Uint8Array> {
  const fields = new Map<number, number | Uint8Array>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error("cut");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if ((tag & 7) === 0) {
      fields.set(tag >> 3, varint());
    } else if ((tag & 7) === 2) {
      const length = varint();
      fields.set(tag >> 3, bytes.subarray(at, at + length));
      at += length;
    } else throw new Error("no field of an ErrorInfo");
  }
  return fields;
}
