import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { negotiate } from "../../../src/wire/http/encoding.ts";
import { ALL, answersAnyText, asPlainlyRead } from "./encoding.properties.ts";

/** RFC 9110, 12.5.3. The server's order is zstd, br, gzip. */
describe("negotiate", () => {
  test.each([
    { story: "no field", accept: null, is: "identity" },
    { story: "empty field", accept: "", is: "identity" },
    { story: "a browser", accept: "gzip, deflate, br, zstd", is: "zstd" },
    { story: "an older one", accept: "gzip, deflate, br", is: "br" },
    { story: "curl --compressed of old", accept: "deflate, gzip", is: "gzip" },
    { story: "what we have not", accept: "deflate, compress", is: "identity" },
    { story: "anything", accept: "*", is: "zstd" },
    { story: "anything but", accept: "*, zstd;q=0", is: "br" },
    { story: "weights decide", accept: "zstd;q=0.2, gzip;q=0.9, br;q=0.5", is: "gzip" },
    { story: "thousandths count", accept: "br;q=0.998, gzip;q=0.999", is: "gzip" },
    { story: "equal weights: our order", accept: "gzip;q=0.5, br;q=0.5", is: "br" },
    { story: "none of it", accept: "gzip;q=0", is: "identity" },
    { story: "rather plain", accept: "gzip;q=0.5, identity", is: "identity" },
    { story: "plain as welcome as coded", accept: "gzip, identity", is: "gzip" },
    { story: "plain less welcome", accept: "gzip;q=0.5, identity;q=0.2", is: "gzip" },
    { story: "not plain", accept: "gzip, identity;q=0", is: "gzip" },
    { story: "not plain, and nothing we have", accept: "deflate, identity;q=0", is: "none" },
    { story: "not plain by star", accept: "deflate, *;q=0", is: "none" },
    { story: "nothing at all", accept: "*;q=0", is: "none" },
    { story: "plain in spite of star", accept: "*;q=0, identity;q=0.1", is: "identity" },
    { story: "star less than named", accept: "*;q=0.1, gzip", is: "gzip" },
    { story: "identity alone", accept: "identity", is: "identity" },
    { story: "capitals", accept: "GZip;Q=1.0", is: "gzip" },
    { story: "the old name", accept: "x-gzip", is: "gzip" },
    { story: "a name within a name", accept: "xgzip, gzipx, br-x", is: "identity" },
    { story: "white space", accept: " gzip ;\tq=0.5 , br ; q=0.4 ", is: "gzip" },
    { story: "empty elements", accept: ",,gzip,,", is: "gzip" },
    { story: "a weight that is none", accept: "br;q=x, gzip;q=0.1", is: "gzip" },
    { story: "a weight above one", accept: "br;q=1.5, gzip", is: "gzip" },
    { story: "a weight below zero", accept: "br;q=-1, gzip", is: "gzip" },
    { story: "four decimals", accept: "br;q=0.1234, gzip;q=0.1", is: "gzip" },
    { story: "a weight without digits behind the dot", accept: "gzip;q=1.", is: "gzip" },
    { story: "another parameter", accept: "br;level=9, gzip", is: "gzip" },
    { story: "the last word of one named twice", accept: "gzip, gzip;q=0", is: "identity" },
    { story: "no weight behind the sign", accept: "br;q=, gzip", is: "gzip" },
  ])("$story: $accept", ({ accept, is }) => {
    expect<string>(negotiate(accept, ALL)).toBe(is);
  });

  test("nothing offered", () => {
    expect(negotiate("gzip", [])).toBe("identity");
    expect(negotiate("identity;q=0", [])).toBe("none");
  });

  test("agrees with a plain reading of the section", () => {
    fc.assert(asPlainlyRead);
  });
  test("any text gets an answer that was offered", () => {
    fc.assert(answersAnyText);
  });
});
