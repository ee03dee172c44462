import { lazy, useEffect } from 'react';
import { Route, Routes, useNavigate } from 'react-router';
import { GroupsPage } from './groups/GroupsPage';
import { SessionProvider } from './session/session';
import { recallPlace } from './session/signIn';
import { ViewerProvider } from './session/ViewerProvider';
import { Shell } from './shell/Shell';
import { EmptyState } from './ui/EmptyState';
import { Page } from './ui/Page';

const UsersPage = lazy(async () => ({ default: (await import('./users/UsersPage')).UsersPage }));
const UserPage = lazy(async () => ({ default: (await import('./users/UserPage')).UserPage }));
const BotsPage = lazy(async () => ({ default: (await import('./bots/BotsPage')).BotsPage }));
const BotPage = lazy(async () => ({ default: (await import('./bots/BotPage')).BotPage }));
const PersonasPage = lazy(async () => ({
  default: (await import('./personas/PersonasPage')).PersonasPage,
}));
const PersonaPage = lazy(async () => ({
  default: (await import('./personas/PersonaPage')).PersonaPage,
}));
const HistoryPage = lazy(async () => ({
  default: (await import('./history/HistoryPage')).HistoryPage,
}));
const MyPage = lazy(async () => ({ default: (await import('./me/MyPage')).MyPage }));

export function App() {
  return (
    <SessionProvider>
      <ViewerProvider>
        <Routes>
          <Route element={<Shell />}>
            <Route index element={<Home />} />
            <Route path="groups" element={<GroupsPage />} />
            <Route path="users" element={<UsersPage />} />
            <Route path="users/:id" element={<UserPage />} />
            <Route path="bots" element={<BotsPage />} />
            <Route path="bots/:id" element={<BotPage />} />
            <Route path="personas" element={<PersonasPage />} />
            <Route path="personas/:id" element={<PersonaPage />} />
            <Route path="history" element={<HistoryPage />} />
            <Route path="me" element={<MyPage />} />
            <Route path="*" element={<NotFound />} />
          </Route>
        </Routes>
      </ViewerProvider>
    </SessionProvider>
  );
}

/** Where a sign-in link leads: back to where it was needed, or to the groups. */
function Home() {
  const navigate = useNavigate();
  useEffect(() => void navigate(recallPlace() ?? '/groups', { replace: true }), [navigate]);
  return null;
}

function NotFound() {
  return (
    <Page title="No such page">
      <EmptyState title="Nothing is at this address">Choose something from the menu.</EmptyState>
    </Page>
  );
}
