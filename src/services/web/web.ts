import type { Host, Instance, Service } from "../service.ts";
import { type WebConfig, webSchema } from "./config.ts";

/** Static files and WebDAV. */
export const web: Service<WebConfig> = {
  name: "web",
  about: "static files and WebDAV over HTTP/1.1, 2 and 3",
  schema: webSchema,
  async prepare(_config: WebConfig, _host: Host): Promise<Instance> {
    return { start() {}, stats: () => ({}), async stop() {} };
  },
};
