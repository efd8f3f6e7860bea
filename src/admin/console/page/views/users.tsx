import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { Badge } from "../parts/badge.tsx";
import { ChangeButton } from "../parts/button.tsx";
import { useConfirm } from "../parts/confirm.tsx";
import { useStore } from "../parts/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { Head, Panel } from "../parts/page.tsx";
import { Scroll } from "./machine.tsx";
import { type UserChange, UserForm } from "./user-form.tsx";

export interface User {
  readonly name: string;
  readonly access: "full" | "readonly";
}

/** Who may come in. */
export function Users(): JSX.Element {
  const store = useStore();
  const { asked, ask } = useConfirm();
  const [users, setUsers] = useState<readonly User[] | undefined>(undefined);
  const [open, setOpen] = useState<{ readonly user: User | undefined } | undefined>(undefined);
  const load = async (): Promise<void> => {
    setUsers(await store.api.get<User[]>("users").catch(() => []));
  };
  useEffect(() => void load(), []);

  const put = async ({ name, ...input }: UserChange): Promise<boolean> => {
    const known = users?.some((user) => user.name === name);
    const done = await store.attempt(known ? `${name} is changed.` : `${name} may come in.`, () =>
      store.api.send("PUT", `users/${encodeURIComponent(name)}`, input),
    );
    if (done) await load();
    return done;
  };
  const remove = async (name: string): Promise<void> => {
    await store.attempt(`${name} is removed.`, () =>
      store.api.send("DELETE", `users/${encodeURIComponent(name)}`),
    );
    await load();
  };

  return (
    <>
      <Head title="Users" about="Who may come in, here and by the API">
        <ChangeButton kind="main" onPress={async () => setOpen({ user: undefined })}>
          <Icon name="add" /> Add a user
        </ChangeButton>
      </Head>
      <Panel title="All users">
        {users === undefined ? (
          <p class="soft">Asking …</p>
        ) : users.length === 0 ? (
          <p class="soft">
            There are none: only this machine can come in, and only the unix socket may change
            things.
          </p>
        ) : (
          <Scroll label="Users">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Access</th>
                <th scope="col">
                  <span class="unseen">Change</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {users.map((user) => {
                const me = user.name === store.me?.name;
                const full = user.access === "full";
                return (
                  <tr key={user.name}>
                    <th scope="row">
                      {user.name} {me && <span class="soft">(you)</span>}
                    </th>
                    <td>
                      <Badge tone={full ? "good" : "quiet"} icon={full ? "up" : "info"}>
                        {full ? "full" : "read only"}
                      </Badge>
                    </td>
                    <td class="end">
                      {store.full && (
                        <>
                          <ChangeButton
                            kind="quiet"
                            label={`Change ${user.name}`}
                            onPress={async () => setOpen({ user })}
                          >
                            Change
                          </ChangeButton>
                          <ChangeButton
                            kind="quiet"
                            label={`Remove ${user.name}`}
                            disabled={me}
                            onPress={() =>
                              ask(
                                {
                                  title: `Remove ${user.name}?`,
                                  effects: ["Their sessions end at once."],
                                  action: "Remove the user",
                                  danger: true,
                                },
                                () => remove(user.name),
                              )
                            }
                          >
                            Remove
                          </ChangeButton>
                        </>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </Scroll>
        )}
      </Panel>
      {asked}
      {open && (
        <UserForm
          user={open.user}
          onClose={() => setOpen(undefined)}
          onPut={async (change) => {
            if (await put(change)) setOpen(undefined);
          }}
        />
      )}
    </>
  );
}
