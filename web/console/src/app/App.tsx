import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from 'react-router';
import { isSignedOut } from '../api/client';
import { keys, worthAnotherTry } from '../api/queries';
import { styleNonce } from './nonce';
import { router } from './routes';
import { colorSchemeManager, cssVariables, theme } from './theme';

/** Whoever is told 401 anywhere is signed out everywhere; the router then leads to the sign-in page and back. */
const onError = (error: unknown) => {
  if (isSignedOut(error)) queryClient.setQueryData(keys.me, null);
};

const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({
    onError: (error, _variables, _result, mutation) => {
      if (mutation.options.mutationKey?.[0] !== 'sign-in') onError(error);
    },
  }),
  defaultOptions: { queries: { retry: worthAnotherTry, staleTime: 1_000 } },
});

export function App() {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemeManager}
      getStyleNonce={styleNonce}
    >
      <QueryClientProvider client={queryClient}>
        <Notifications position="top-right" />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
