import { isLoopback } from "../../../core/loopback.ts";
import { passwordKind } from "../../../core/password-kind.ts";
import type { Admin, User } from "./director.ts";
import type { Element } from "./elements.ts";
import { attribute, lastOfEach, leaf, onlyAttributes } from "./nodes.ts";
import { listenPlace } from "./places.ts";
import type { Report } from "./report.ts";

/** As `admin.users` of the config takes them. */
const NAME = /^[^\s:]+$/;

/** The <admin> element. Users that could not log in are left out, with a note. */
export function readAdmin(element: Element, report: Report): Admin {
  onlyAttributes(element, ["listen", "secure"], report);
  const { value, at } = attribute(element, "listen");
  const read = listenPlace(value);
  if (read?.local) report.note(at, "localhost is 127.0.0.1 here");
  if (read === undefined) {
    const expected = 'an IPv4 address, or "*" for all, and a port: "127.0.0.1:7001"';
    report.problem(at, "admin.listen", `expected ${expected}, got ${JSON.stringify(value)}`);
  }
  const users = new Map<string, { user: User; at: number }>();
  for (const child of element.children) {
    if (child.name !== "user") {
      report.problem(child.at, "admin", `expected <user>, got <${child.name}>`);
      continue;
    }
    const user = readUser(child, report);
    if (user) lastOfEach(users, user.name, { user, at: child.at }, "user", report);
  }
  if (users.size === 0) report.note(element.at, noUsers(read?.place.split(":", 1)[0] ?? ""));
  const secure = attribute(element, "secure").value !== "";
  return {
    listen: read?.place ?? "",
    secure,
    users: [...users.values()].map(({ user }) => user),
  };
}

function noUsers(host: string): string {
  return isLoopback(host)
    ? "no users: nobody could log in; here, everybody on this machine may look"
    : "no users: nobody could log in, so it is not opened here";
}

function readUser(element: Element, report: Report): User | undefined {
  leaf(element, ["name", "password", "access"], report);
  const [name, password, access] = ["name", "password", "access"].map((key) =>
    attribute(element, key),
  ) as [Attr, Attr, Attr]; // one for each
  const leave = ({ at }: Attr, why: string): undefined =>
    report.note(at, `user ${JSON.stringify(name.value)} ${why}: left out`) as undefined;
  if (!NAME.test(name.value)) return leave(name, "has no name that one can log in by");
  if (passwordKind(password.value) === undefined)
    return leave(password, "has no password made by crypt(3), so that nobody could log in");
  if (access.value !== "full" && access.value !== "readonly")
    return leave(access, 'may do nothing, as access is neither "full" nor "readonly"');
  return { name: name.value, password: password.value, access: access.value };
}

type Attr = ReturnType<typeof attribute>;
