import { Alert, Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import { ApiProblem } from '../api/client';
import { useMe, useSignIn } from '../api/queries';
import { Mark } from '../app/Mark';
import classes from './SignInPage.module.css';

/** Only places of this console: a link must not lead people elsewhere after they signed in. */
export const safeTarget = (to: string | null): string => (to && /^\/(?![/\\])/.test(to) ? to : '/sessions');

function reason(error: unknown): { title: string; text: string | undefined } {
  if (!(error instanceof ApiProblem)) return { title: 'Signing in failed', text: 'Please try again.' };
  if (error.status === 401) {
    return {
      title: 'E-mail or password is not right',
      text: 'Check both and try again. Capital letters count in the password.',
    };
  }
  return { title: error.message, text: error.whatToDo ?? error.detail };
}

export function SignInPage() {
  const [search] = useSearchParams();
  const target = safeTarget(search.get('to'));
  const me = useMe();
  const signIn = useSignIn();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [missing, setMissing] = useState({ email: false, password: false });
  const emailInput = useRef<HTMLInputElement>(null);
  const passwordInput = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = 'Sign in · OpenProctor';
  }, []);

  if (me.data) return <Navigate to={target} replace />;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const absent = { email: email.trim() === '', password: password === '' };
    setMissing(absent);
    if (absent.email) emailInput.current?.focus();
    else if (absent.password) passwordInput.current?.focus();
    else {
      signIn.mutate(
        { email: email.trim(), password },
        {
          onError: () => {
            setPassword('');
            passwordInput.current?.focus();
          },
        },
      );
    }
  };

  const failure = signIn.isError ? reason(signIn.error) : null;
  return (
    <main className={classes.page}>
      <Paper className={classes.card} withBorder shadow="sm" radius="lg">
        <Stack gap="lg">
          <Stack gap={6} align="center">
            <Mark size={44} />
            <Title order={1} size="h3" mt={6}>
              Sign in to OpenProctor
            </Title>
            <Text c="dimmed" size="sm" ta="center">
              {search.get('to')
                ? 'You will come back to where you were.'
                : 'For proctors, reviewers and the exam office.'}
            </Text>
          </Stack>
          <form onSubmit={submit} noValidate>
            <Stack>
              {failure && (
                <Alert
                  color="red"
                  variant="light"
                  role="alert"
                  icon={<IconAlertCircle aria-hidden />}
                  title={failure.title}
                >
                  {failure.text}
                </Alert>
              )}
              <TextInput
                ref={emailInput}
                label="E-mail"
                type="email"
                name="email"
                autoComplete="username"
                autoFocus
                size="md"
                value={email}
                onChange={(event) => setEmail(event.currentTarget.value)}
                error={missing.email && email.trim() === '' ? 'Please enter your e-mail address' : null}
              />
              <PasswordInput
                ref={passwordInput}
                label="Password"
                name="password"
                autoComplete="current-password"
                size="md"
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
                error={missing.password && password === '' ? 'Please enter your password' : null}
                visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password', tabIndex: 0 }}
              />
              <Button type="submit" size="md" loading={signIn.isPending} mt={4}>
                Sign in
              </Button>
            </Stack>
          </form>
        </Stack>
      </Paper>
    </main>
  );
}
