/** How many there may be of what persons make. */
export interface Limits {
  /** Workspaces that one person is in. */
  readonly memberships: number;
  readonly rolesPerWorkspace: number;
  readonly groupsPerWorkspace: number;
  readonly membersPerGroup: number;
  readonly openInvitationsPerWorkspace: number;
  readonly applicationsPerWorkspace: number;
  /** Keys of one application that are not revoked. */
  readonly keysPerApplication: number;
}

export const defaultLimits: Limits = {
  memberships: 500,
  rolesPerWorkspace: 100,
  groupsPerWorkspace: 2000,
  membersPerGroup: 5000,
  openInvitationsPerWorkspace: 1000,
  applicationsPerWorkspace: 500,
  keysPerApplication: 100,
};
