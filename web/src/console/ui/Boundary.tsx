import { Alert, Button, Stack, Text } from '@mantine/core';
import { useWindowEvent } from '@mantine/hooks';
import { Component, type ReactNode, useState } from 'react';

interface Props {
  /** What is shown; another one gets a try of its own. */
  place: string;
  children: ReactNode;
}

/** Where a page breaks, or its code is gone because the service was updated: a way on. */
export class Boundary extends Component<Props, { brokenAt: string | null }> {
  override state = { brokenAt: null };

  static getDerivedStateFromError() {
    return { brokenAt: '' };
  }

  override componentDidCatch() {
    this.setState({ brokenAt: this.props.place });
  }

  override componentDidUpdate() {
    const { brokenAt } = this.state;
    if (brokenAt && brokenAt !== this.props.place) this.setState({ brokenAt: null });
  }

  override render() {
    if (this.state.brokenAt === null) return this.props.children;
    return <Broken />;
  }
}

const reload = () => location.reload();

function Broken() {
  const [isOffline] = useState(() => !navigator.onLine);
  // What React failed to load once it does not ask for again; the browser does.
  useWindowEvent('online', () => isOffline && reload());
  return (
    <Alert color="red" role="alert" title="This page could not be shown">
      <Stack align="flex-start">
        <Text size="sm">
          {isOffline
            ? 'You are offline. The page loads as soon as the connection is back.'
            : 'Cohort may have been updated since you opened it, or the connection was lost.'}
        </Text>
        <Button variant="default" onClick={reload}>
          Load it again
        </Button>
      </Stack>
    </Alert>
  );
}
