import { AppShell, Burger, Group, NavLink, Text } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import {
  IconHistory,
  IconMasksTheater,
  IconRobot,
  IconUser,
  IconUserCircle,
  IconUsersGroup,
} from '@tabler/icons-react';
import { Suspense, useLayoutEffect, useRef, useState } from 'react';
import { Link, Outlet, useLocation, useNavigationType } from 'react-router';
import { useViewer } from '../session/ViewerProvider';
import { Boundary } from '../ui/Boundary';
import { Rows } from '../ui/Rows';
import { AccountMenu } from './AccountMenu';
import { OfflineSign } from './OfflineSign';
import classes from './Shell.module.css';
import { SkipLink } from './SkipLink';
import { ThemeButton } from './ThemeButton';

const TEAM_MANAGEMENT = [
  { to: '/groups', label: 'Groups', Icon: IconUsersGroup },
  { to: '/users', label: 'Users', Icon: IconUser },
  { to: '/bots', label: 'Bots', Icon: IconRobot },
  { to: '/personas', label: 'Personas', Icon: IconMasksTheater },
  { to: '/history', label: 'History', Icon: IconHistory },
];
const MINE = { to: '/me', label: 'My access', Icon: IconUserCircle };

/**
 * The frame of every page: the bar above, the menu, and the page, which it tells whether it is the
 * one that was loaded (`useOutletContext`).
 */
export function Shell() {
  const [isOpen, menu] = useDisclosure();
  const location = useLocation();
  const { pathname } = location;
  const [first] = useState(location);
  const isBack = useNavigationType() === 'POP';
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);

  const burger = useRef<HTMLButtonElement>(null);

  function closeMenu() {
    menu.close();
    burger.current?.focus();
  }
  useHotkeys(isOpen ? [['Escape', closeMenu]] : []);

  // Another page closes the menu, and takes the focus, so that screen readers go on there. It begins
  // where it begins; one that somebody goes back to is where they left it, as the browser knows. All
  // that before the effects of the page itself, which may bring something of it into view.
  useLayoutEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    menu.close();
    main.current?.focus();
    if (!isBack) scrollTo({ top: 0 });
  }, [pathname, isBack, menu.close]);

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 220, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding="md"
    >
      <SkipLink />
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap" miw={0}>
            <Burger
              ref={burger}
              opened={isOpen}
              onClick={menu.toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={isOpen ? 'Close the menu' : 'Open the menu'}
            />
            <Text fw={700} truncate className={classes.brand}>
              Cohort
            </Text>
            <Organization />
          </Group>
          <Group gap="xs" wrap="nowrap" flex="none" maw="calc(100% - 2.25rem)">
            <OfflineSign />
            <ThemeButton />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar
        p="xs"
        aria-label="Main menu"
        className={classes.menu}
        data-closed={!isOpen || undefined}
      >
        <Menu pathname={pathname} />
      </AppShell.Navbar>
      <AppShell.Main id="main" ref={main} tabIndex={-1} className={classes.main}>
        <Boundary place={pathname}>
          <Suspense fallback={<Rows count={10} />}>
            <Outlet context={location === first} />
          </Suspense>
        </Boundary>
      </AppShell.Main>
    </AppShell>
  );
}

function Organization() {
  const viewer = useViewer();
  return (
    <Text c="dimmed" visibleFrom="xs">
      {viewer?.organization.name}
    </Text>
  );
}

function Menu({ pathname }: { pathname: string }) {
  const viewer = useViewer();
  const isMember = viewer?.role === 'MEMBER';
  const entry = ({ to, label, Icon }: typeof MINE) => (
    <NavLink
      key={to}
      component={Link}
      to={to}
      label={label}
      leftSection={<Icon size={18} aria-hidden />}
      active={pathname === to || pathname.startsWith(`${to}/`)}
      aria-current={pathname === to ? 'page' : undefined}
    />
  );
  return (
    <>
      {!isMember && (
        <>
          <Text size="xs" fw={700} c="dimmed" px="sm" py={6}>
            Team Management
          </Text>
          {TEAM_MANAGEMENT.map(entry)}
        </>
      )}
      {viewer?.user && entry(MINE)}
    </>
  );
}
