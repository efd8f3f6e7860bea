import { ValueClasses } from "../../core/value-classes.ts";
import { type Coding, negotiate } from "../../wire/http/encoding.ts";

/** Values of Accept-Encoding that get the same answers, where `codings` is all that is ever offered. */
export function codingClasses(codings: readonly Coding[]): ValueClasses {
  const all = orders(codings);
  return new ValueClasses((value) => all.map((offered) => negotiate(value, offered)).join());
}

/** Every order of every subset: two values that agree on all of these agree on whatever is offered. */
function orders(codings: readonly Coding[]): Coding[][] {
  return [
    [],
    ...codings.flatMap((first) =>
      orders(codings.filter((coding) => coding !== first)).map((rest) => [first, ...rest]),
    ),
  ];
}
