import { Container } from '@mantine/core';
import type { ReactNode } from 'react';
import { Navigate, useLocation } from 'react-router';
import { useMe } from '../api/queries';
import { PageSkeleton } from '../app/PageSkeleton';
import { ProblemAlert } from '../app/Problems';

/** Lets only signed-in people through; others go to the sign-in page and come back to where they wanted to be. */
export function RequireSignIn({ children }: { children: ReactNode }) {
  const me = useMe();
  const { pathname, search } = useLocation();
  if (me.data) return children;
  if (me.data === null) {
    const here = `${pathname}${search}`;
    return (
      <Navigate
        to={here === '/' || here === '/sessions' ? '/sign-in' : `/sign-in?to=${encodeURIComponent(here)}`}
        replace
      />
    );
  }
  if (me.isError) {
    return (
      <Container size="xs" py={96}>
        <ProblemAlert error={me.error} retry={() => void me.refetch()} />
      </Container>
    );
  }
  return <PageSkeleton />;
}
