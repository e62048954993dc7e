// Whom an upload belongs to.

/** A person or a client application, as a row's key: `person:<id>`. */
export type Owner = string;

/** The owner that a call's subject is. */
export function ownerOf(subject: { readonly kind: string; readonly id: string }): Owner {
  return `${subject.kind}:${subject.id}`;
}

/** The id out of an owner. */
export function ownerId(owner: Owner): string {
  return owner.slice(owner.indexOf(":") + 1);
}
