import type { Role } from '../api/operations';

const NAMES: Record<Role, string> = {
  ADMIN: 'Administrator',
  AUDITOR: 'Auditor',
  MEMBER: 'Member',
};

export const roleName = (role: Role) => NAMES[role];
