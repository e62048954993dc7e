// Accounts of the instance.

import { type User, UserState } from "@docket/contracts/gen/docket/user/v1/user_pb.ts";
import { UserService } from "@docket/contracts/gen/docket/user/v1/user_service_pb.ts";
import type { ListPage } from "../paged.ts";

/** What a person says of itself. */
export interface Profile {
  readonly displayName: string;
  readonly locale: string;
  readonly timeZone: string;
}

export function useUsers() {
  const client = useClient(UserService);
  return {
    /** A page of accounts by name: of an administrator all, of others those of shared workspaces. */
    async page(pageToken = "", { disabled = false } = {}): Promise<ListPage<User>> {
      const state = disabled ? UserState.DISABLED : undefined;
      const page = await client.listUsers({ pageSize: 100, pageToken, state });
      return { items: page.users, nextPageToken: page.nextPageToken };
    },
    /** Changes the own profile; only what is named. */
    async update(userId: string, profile: Partial<Profile>, etag?: string): Promise<User> {
      const names = { displayName: "display_name", locale: "locale", timeZone: "time_zone" } as const;
      const paths = Object.keys(profile).map((name) => names[name as keyof Profile]);
      return there((await client.updateUser({ userId, profile, updateMask: { paths }, etag })).user);
    },
    /** Changes the own password; all other sessions end. */
    async changePassword(userId: string, currentPassword: string, newPassword: string): Promise<void> {
      await client.changePassword({ userId, currentPassword, newPassword });
    },
    async disable(userId: string): Promise<User> {
      return there((await client.disableUser({ userId })).user);
    },
    async enable(userId: string): Promise<User> {
      return there((await client.enableUser({ userId })).user);
    },
    async setAdministrator(userId: string, administrator: boolean): Promise<User> {
      return there((await client.setAdministrator({ userId, administrator })).user);
    },
    /** A link with which the person chooses a new password; shown once. */
    async createResetLink(userId: string): Promise<{ link: string; expiresMs: number }> {
      const { link, expireTime } = await client.createPasswordReset({ userId });
      return { link, expiresMs: expireTime === undefined ? 0 : msOf(expireTime) };
    },
  };
}
