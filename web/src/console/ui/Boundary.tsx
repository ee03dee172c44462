import { Alert, Button, Stack, Text } from '@mantine/core';
import { Component, type ReactNode } from 'react';

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
    return (
      <Alert color="red" role="alert" title="This page could not be shown">
        <Stack align="flex-start">
          <Text size="sm">Cohort may have been updated since you opened it.</Text>
          <Button variant="default" onClick={() => location.reload()}>
            Load it again
          </Button>
        </Stack>
      </Alert>
    );
  }
}
