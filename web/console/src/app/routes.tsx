import { createBrowserRouter, Navigate } from 'react-router';
import { SessionsPage } from '../sessions/SessionsPage';
import { RequireSignIn } from '../signin/RequireSignIn';
import { SignInPage } from '../signin/SignInPage';
import { PageSkeleton } from './PageSkeleton';
import { NotFoundPage, UnexpectedError } from './Problems';
import { Shell } from './Shell';

export const router = createBrowserRouter(
  [
    {
      errorElement: <UnexpectedError />,
      hydrateFallbackElement: <PageSkeleton />,
      children: [
        { path: '/sign-in', element: <SignInPage /> },
        {
          element: (
            <RequireSignIn>
              <Shell />
            </RequireSignIn>
          ),
          children: [
            { index: true, element: <Navigate to="/sessions" replace /> },
            { path: 'sessions', element: <SessionsPage /> },
            {
              path: 'sessions/:id',
              // The players and the timeline are loaded when a session is opened, not with the list.
              lazy: async () => ({ Component: (await import('../session/SessionPage')).SessionPage }),
            },
            { path: '*', element: <NotFoundPage /> },
          ],
        },
      ],
    },
  ],
  { basename: '/console' },
);
