import { expect, test } from "bun:test";

import { decodeXml } from "../../../../src/config/import/pydir/decode.ts";

const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");

test.each([
  { story: "UTF-8 says nothing", bytes: Buffer.from("<a x='é'/>"), text: "<a x='é'/>" },
  {
    story: "Latin-1 says so",
    bytes: latin1(`<?xml version="1.0" encoding='iso-8859-1'?><a x='é'/>`),
    text: `<?xml version="1.0" encoding='iso-8859-1'?><a x='é'/>`,
  },
  {
    story: "a mark goes before what is said",
    bytes: Buffer.from("\ufeff<?xml encoding='latin1'?><a/>", "utf16le"),
    text: "<?xml encoding='latin1'?><a/>",
  },
  {
    story: "an encoding that nobody knows",
    bytes: Buffer.from(`<?xml version="1.0" encoding="klingon"?><a/>`),
    text: `<?xml version="1.0" encoding="klingon"?><a/>`,
  },
  { story: "no XML at all", bytes: Buffer.from("[3wsd]\nroot = é"), text: "[3wsd]\nroot = é" },
  { story: "nothing", bytes: new Uint8Array(), text: "" },
])("$story", ({ bytes, text }) => {
  expect(decodeXml(bytes)).toBe(text);
});
