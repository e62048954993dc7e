// Byte ranges (RFC 9110, section 14).

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * What a `Range` header asks of a file of this size: one range, `"unsatisfiable"` (416), or `undefined` for the whole
 * file. Several ranges are answered with the whole, as the RFC allows; so is what is no valid header.
 */
export function rangeOf(header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const set = /^bytes=(.*)$/i.exec(header?.trim() ?? "")?.[1];
  if (set === undefined) return undefined;
  const specs = set.split(",").map((spec) => specOf(spec.trim(), size));
  if (specs.some((spec) => spec === "invalid")) return undefined;
  if (specs.every((spec) => spec === "unsatisfiable")) return "unsatisfiable";
  const [only] = specs;
  return specs.length === 1 && typeof only === "object" ? only : undefined;
}

function specOf(spec: string, size: number): ByteRange | "unsatisfiable" | "invalid" {
  const [, first = "", last = ""] = /^(\d{0,15})-(\d{0,15})$/.exec(spec) ?? [];
  if (first === "" && last === "") return "invalid";
  if (first === "") {
    const suffix = Math.min(Number(last), size);
    return suffix === 0 ? "unsatisfiable" : { offset: size - suffix, length: suffix };
  }
  const from = Number(first);
  const to = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < from) return "invalid";
  return from >= size ? "unsatisfiable" : { offset: from, length: to - from + 1 };
}
