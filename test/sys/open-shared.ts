/** One of several processes that open the same new databases at the same moments. */
import { openShared } from "../../src/sys/shared-database.ts";

const [directory = ".", first = "0", count = "0", every = "0"] = process.argv.slice(2);
let failed = 0;
for (let i = 0; i < Number(count); i++) {
  while (Date.now() < Number(first) + i * Number(every));
  try {
    openShared(`${directory}/${i}`, (db) => {
      db.run("CREATE TABLE IF NOT EXISTS one (id INTEGER PRIMARY KEY) STRICT");
      db.run("INSERT INTO one DEFAULT VALUES");
    }).close();
  } catch (error) {
    failed++;
    process.stderr.write(`${String(error)}\n`);
  }
}
process.exit(failed === 0 ? 0 : 1);
