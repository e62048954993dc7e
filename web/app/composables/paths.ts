/** A path of this portal from a query parameter; "/" for anything that would lead elsewhere. */
export function ownPath(value: unknown): string {
  // Browsers take a backslash for a slash, and leave out control characters before they look at slashes.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (typeof value !== "string" || !/^\/(?!\/)[^\\\u0000-\u001f]*$/.test(value)) return "/";
  return value;
}
