import type { JSX } from "preact";

import { Head } from "../parts/page.tsx";
import { href } from "../state/route.ts";

/** What was asked for is not there: it never was, or a change has taken it away. */
export function Lost({
  what,
  name,
}: {
  readonly what: string;
  readonly name?: string;
}): JSX.Element {
  return (
    <>
      <Head title={name ?? "Nothing here"} />
      <p>
        There is no such {what}. <a href={href()}>Back to the overview</a>
      </p>
    </>
  );
}

/** Before the first figures have come. */
export function Waiting(): JSX.Element {
  return (
    <p class="soft waiting" role="status">
      Waiting for the first figures …
    </p>
  );
}
