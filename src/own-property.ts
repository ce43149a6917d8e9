/** The object's own property, or `undefined`: what somebody has put on `Object.prototype` is never read. */
export function ownProperty<T extends object, K extends keyof T>(object: T, name: K): T[K] | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
