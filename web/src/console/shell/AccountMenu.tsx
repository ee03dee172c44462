import { ActionIcon, Menu } from '@mantine/core';
import { IconUserCircle } from '@tabler/icons-react';
import { useSession } from '../session/session';
import { useViewer } from '../session/ViewerProvider';
import { Name } from '../ui/Name';
import { roleName } from '../users/roles';

/** Who is signed in, and the way out. */
export function AccountMenu() {
  const viewer = useViewer();
  const { signOut } = useSession();
  const name = viewer?.user?.name ?? 'A token';
  return (
    // Within the banner, so that it is found there and not outside of all landmarks.
    <Menu
      position="bottom-end"
      width="min(15rem, calc(100vw - 2rem))"
      withInitialFocusPlaceholder={false}
      withinPortal={false}
    >
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label="Account">
          <IconUserCircle size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {viewer && (
          <Menu.Label>
            <Name>{name}</Name>, {roleName(viewer.role)}
          </Menu.Label>
        )}
        <Menu.Item component="a" href="/graphiql">
          GraphiQL
        </Menu.Item>
        <Menu.Item onClick={signOut}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
