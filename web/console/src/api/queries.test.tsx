import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, renderHook } from '@testing-library/react';
import type { PropsWithChildren } from 'react';
import { afterEach, expect, it, vi } from 'vitest';
import { keys, useSignIn } from './queries';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

it('forgets at a sign-in what was shown to whoever was here before', async () => {
  vi.stubGlobal('fetch', async () => Response.json({}));
  const client = new QueryClient();
  client.setQueryData(keys.me, null);
  client.setQueryData(keys.session('s'), { id: 's' });
  client.setQueryData(keys.events('s'), [{ sequence: 1 }]);
  const wrapper = ({ children }: PropsWithChildren) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  const { result } = renderHook(() => useSignIn(), { wrapper });
  await act(() => result.current.mutateAsync({ email: 'ada@example.org', password: 'secret' }));
  expect(client.getQueryData(keys.session('s'))).toBeUndefined();
  expect(client.getQueryData(keys.events('s'))).toBeUndefined();
  expect(client.getQueryState(keys.me)?.isInvalidated).toBe(true);
});
