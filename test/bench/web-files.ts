import { mkdir } from "node:fs/promises";

export const HOST = "www.bench.example";

/** What both servers serve, by name; made in `dir`/www. */
export async function makeFiles(dir: string): Promise<void> {
  const www = `${dir}/www`;
  await mkdir(www, { recursive: true });
  await Bun.write(`${www}/index.html`, "<!doctype html><title>bench</title>\n");
  await Bun.write(`${www}/1k.html`, text(1024));
  await Bun.write(`${www}/20k.html`, text(20 * 1024));
  await Bun.write(`${www}/100k.bin`, noise(100 * 1024));
  await Bun.write(`${www}/10m.bin`, noise(10 * 2 ** 20));
}

/** Words of a page: they compress like one. */
function text(bytes: number): string {
  const words =
    "tern serves files over many kinds of wire and to every kind of client in time".split(" ");
  let page = "<!doctype html>\n<title>bench</title>\n";
  for (let i = 7; page.length < bytes; i = (i * 31 + 11) % 9973)
    page += i % 9 === 0 ? `</p>\n<p id="p${i}">` : `${words[i % words.length]} `;
  return page.slice(0, bytes);
}

function noise(bytes: number): Uint8Array {
  const made = new Uint8Array(bytes);
  let x = 1;
  for (let i = 0; i < bytes; i++) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    made[i] = x >>> 24;
  }
  return made;
}

/** A key pair for both, in `dir`: tls.pem and tls.key. */
export async function makeCertificate(dir: string): Promise<void> {
  const child = Bun.spawn(
    [
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "30",
      "-subj",
      `/CN=${HOST}`,
      "-addext",
      `subjectAltName=DNS:${HOST}`,
      "-keyout",
      `${dir}/tls.key`,
      "-out",
      `${dir}/tls.pem`,
    ],
    { stdio: ["ignore", "ignore", "ignore"] },
  );
  if ((await child.exited) !== 0) throw new Error("openssl could not make a certificate");
}
