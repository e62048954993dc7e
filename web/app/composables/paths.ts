/** A path of this portal from a query parameter; "/" for anything that would lead elsewhere. */
export function ownPath(value: unknown): string {
  if (typeof value !== "string" || !value.startsWith("/") || value.startsWith("//") || value.includes("\\")) return "/";
  return value;
}
