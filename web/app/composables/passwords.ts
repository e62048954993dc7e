// A first opinion on a password while it is typed. The server decides, and also knows which ones are common.

/** The shortest password that the server takes, in characters. */
export const shortestPassword = 8;

export type PasswordOpinion = "none" | "short" | "repeated" | "personal" | "fair" | "strong";

/** What to think of a password for this person. */
export function passwordOpinion(
  password: string,
  { email, displayName }: { email: string; displayName: string },
): PasswordOpinion {
  if (password === "") return "none";
  const folded = fold(password);
  if ([...password].length < shortestPassword) return "short";
  if (new Set(folded).size <= 2) return "repeated";
  const bare = folded.replace(/[^\p{L}]+$/u, "").replace(/^[^\p{L}]+/u, "");
  const own = [email, email.split("@")[0] ?? "", displayName, displayName.replaceAll(/\s+/g, "")].map(fold);
  if (own.some((name) => name.length >= 3 && (folded === name || bare === name))) return "personal";
  return [...password].length >= 14 && new Set(folded).size >= 8 ? "strong" : "fair";
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
