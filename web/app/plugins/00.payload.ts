// Messages cross from the server's page to the browser as plain objects: the ones with optional fields have a prototype
// of their own, which the payload cannot carry, and which nothing here needs.

export default definePayloadPlugin(() => {
  definePayloadReducer("Message", (value: unknown) => isClassed(value) && { ...value });
  definePayloadReviver("Message", (value: object) => value);
});

function isClassed(value: unknown): value is object {
  if (typeof value !== "object" || value === null || !("$typeName" in value)) return false;
  return Object.getPrototypeOf(value) !== Object.prototype;
}
