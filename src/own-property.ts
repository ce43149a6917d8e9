/**
 * The object's property, its own or its class's, or `undefined`: what somebody has put on `Object.prototype` is never
 * read.
 */
export function ownProperty<T extends object, K extends keyof T>(object: T, name: K): T[K] | undefined {
  let holder: object = object;
  while (!Object.hasOwn(holder, name)) {
    const parent: object | null = Object.getPrototypeOf(holder);
    if (parent === null || Object.getPrototypeOf(parent) === null) return undefined;
    holder = parent;
  }
  return object[name];
}

/** A copy that inherits nothing. What is no object is itself. */
export function copyOwn<T>(value: T): T {
  return isRecord(value) ? Object.assign(Object.create(null), value) : value;
}

/** Whether it is an object that can have named properties of its own, and no list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
