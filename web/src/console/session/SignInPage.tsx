import { Alert, Center, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { type FormEvent, useEffect, useState } from 'react';
import { useLocation } from 'react-router';
import { BusyButton } from '../ui/BusyButton';
import { useHeir } from '../ui/useHeir';
import { readPasted, recallPlace, rememberPlace, signInWith } from './signIn';

interface Props {
  isExpired: boolean;
  onSignedIn: () => void;
}

export function SignInPage({ isExpired, onSignedIn }: Props) {
  const [text, setText] = useState('');
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const place = useLocation();
  const page = useHeir<HTMLDivElement>();
  useDocumentTitle('Sign in – Cohort');

  // biome-ignore lint/correctness/useExhaustiveDependencies: the place is what it remembers.
  useEffect(rememberPlace, [place]);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    const pasted = readPasted(text, location.origin);
    if ('link' in pasted) {
      location.assign(pasted.link);
      return;
    }
    if ('host' in pasted) {
      setError(
        `This link is for ${pasted.host}, and this page is ${location.host}. Open the link itself.`,
      );
      return;
    }
    setBusy(true);
    const refusal = await signInWith(pasted.token);
    setBusy(false);
    if (refusal) {
      setError(refusal);
      return;
    }
    recallPlace(); // It is where we are.
    onSignedIn();
  }

  return (
    <Center ref={page} component="main" mih="100dvh" p="md">
      <Paper withBorder p="xl" w="100%" maw={440}>
        <form onSubmit={submit}>
          <Stack>
            <Title order={1} size="h2">
              Sign in to Cohort
            </Title>
            {!navigator.cookieEnabled && (
              <Alert color="red" role="alert">
                This browser blocks cookies here, and stays signed in only with one. Allow them for
                this site, then load the page again.
              </Alert>
            )}
            {isExpired && (
              <Alert role="status">Sign in to go on. You come back to where you are now.</Alert>
            )}
            <Text>
              Open the sign-in link that your administrator gave you, or paste it here. A token does
              as well.
            </Text>
            <PasswordInput
              label="Sign-in link or token"
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              error={error}
              aria-invalid={error !== null}
              autoComplete="off"
              required
              autoFocus
            />
            <BusyButton type="submit" busy={busy}>
              Sign in
            </BusyButton>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
