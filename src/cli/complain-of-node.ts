/** The oldest release that has all of `node:sqlite` without a flag; `engines` in package.json says the same. */
const oldest = [22, 13] as const;

/** What is said on a release of Node that is too old; `undefined`: this one is not. */
export function complainOfNode(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return undefined;
  return `byokit needs Node ${oldest.join(".")} or newer, and this is ${version}. Install a newer one: https://nodejs.org`;
}
