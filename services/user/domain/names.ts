/** Addresses are compared without regard to case; nothing else is taken to be equal. */
export function foldEmail(email: string): string {
  return email.trim().normalize("NFC").toLowerCase();
}

/** What names are compared and ordered by. */
export function foldName(name: string): string {
  return name.trim().normalize("NFKC").toLowerCase().slice(0, 255);
}

/** Whether this is a time zone that dates can be reckoned in. */
export function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
