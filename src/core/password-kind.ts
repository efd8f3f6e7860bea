/** How a password was hashed. All but the first two are crypt(3)'s, checked by the system's library. */
export type PasswordKind =
  "argon2id" | "bcrypt" | "yescrypt" | "sha512crypt" | "sha256crypt" | "md5crypt" | "des";

const SALTED = "[./A-Za-z0-9]";
/** More rounds than this would hold the program up for seconds. */
const ROUNDS = String.raw`(?:rounds=[1-9]\d{3,6}\$)?`;

/** What a whole hash looks like (crypt(5)); argon2 in the PHC string format. */
const FORMS: readonly (readonly [PasswordKind, RegExp])[] = [
  ["argon2id", /^\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/],
  ["bcrypt", new RegExp(`^\\$2[aby]\\$\\d\\d\\$${SALTED}{53}$`)],
  ["yescrypt", new RegExp(`^\\$y\\$${SALTED}+\\$${SALTED}{0,86}\\$${SALTED}{43}$`)],
  ["sha512crypt", new RegExp(`^\\$6\\$${ROUNDS}[^$:\\s]{0,16}\\$${SALTED}{86}$`)],
  ["sha256crypt", new RegExp(`^\\$5\\$${ROUNDS}[^$:\\s]{0,16}\\$${SALTED}{43}$`)],
  ["md5crypt", new RegExp(`^\\$1\\$[^$:\\s]{0,8}\\$${SALTED}{22}$`)],
  ["des", new RegExp(`^${SALTED}{13}$`)],
];

/** The kind of a whole hash; undefined when no password can fit it. */
export function passwordKind(hash: string): PasswordKind | undefined {
  return FORMS.find(([, form]) => form.test(hash))?.[0];
}

/** Why a kind of hash should be replaced; undefined when it is good. */
export function weakness(kind: PasswordKind): string | undefined {
  if (kind === "des") return "a DES hash sees 8 characters of a password and is guessed in hours";
  if (kind === "md5crypt") return "an MD5 hash ($1$) is guessed quickly";
  return undefined;
}
