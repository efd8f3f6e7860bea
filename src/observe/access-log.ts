/** One served request. The writer formats it (combined or JSON), buffers, and rotates the file. */
export interface AccessEntry {
  readonly service: string;
  readonly client: string;
  readonly user: string | undefined;
  readonly method: string;
  readonly target: string;
  readonly protocol: string;
  readonly host: string;
  readonly status: number;
  /** Body bytes sent. */
  readonly bytes: number;
  /** From the request's first byte to the response's last. */
  readonly ms: number;
  readonly referer: string | null;
  readonly agent: string | null;
  /** Of a proxy: who answered, and after how many ms the head was there. */
  readonly upstream?: { readonly server: string; readonly ms: number } | undefined;
}

export interface AccessLog {
  write(entry: AccessEntry): void;
}
