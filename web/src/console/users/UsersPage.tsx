import { UsersDocument } from '../api/operations';
import { USERS } from '../members/kinds';
import { MemberLine } from '../members/MemberLine';
import { MemberLink } from '../members/MemberLink';
import { Address } from '../ui/Address';
import { DirectoryPage } from '../ui/DirectoryPage';
import { roleName } from './roles';

export function UsersPage() {
  return (
    <DirectoryPage
      title="Users"
      one="user"
      query={UsersDocument}
      columns={[
        {
          head: 'Name',
          cell: (user) => (
            <MemberLine member={user} name={<MemberLink kind={USERS} member={user} />} />
          ),
        },
        {
          head: 'Email',
          // Names are broken where they must be; if emails were not, they would leave them no room.
          cell: (user) => <Address>{user.email}</Address>,
          isAside: true,
        },
        { head: 'Role', cell: (user) => roleName(user.role), isAside: true },
        { head: 'Groups', cell: (user) => user.groupCount.toLocaleString() },
      ]}
    />
  );
}
