import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, renderHook, waitFor } from '@testing-library/react';
import type { PropsWithChildren } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useRecordings } from './media';

const SAID = { playlist: '', complete: true, duration_s: 1, spans: [], gaps: [] };

/** The server: which tracks it answers for now. */
let answers: Set<string>;
let asked: string[];

beforeEach(() => {
  answers = new Set();
  asked = [];
  vi.stubGlobal('fetch', async (path: string) => {
    const track = path.slice(path.lastIndexOf('/') + 1);
    asked.push(track);
    return answers.has(track) ? Response.json({ track, ...SAID }) : new Response('', { status: 500 });
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function recordings(first: string[] | undefined) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const wrapper = ({ children }: PropsWithChildren) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  const hook = renderHook(({ tracks }) => useRecordings('s', tracks, false), {
    wrapper,
    initialProps: { tracks: first },
  });
  const names = () => hook.result.current.media.map(({ track }) => track);
  return { ...hook, names };
}

describe('the recordings of a session', () => {
  it('are not ready before it is known which there are, and at once where there are none', () => {
    const { result, rerender } = recordings(undefined);
    expect(result.current.ready).toBe(false);
    rerender({ tracks: [] });
    expect(result.current).toMatchObject({ ready: true, media: [], failed: null, stale: false });
  });

  it('stay ready when a track comes later, also one that cannot be had', async () => {
    answers = new Set(['camera']);
    const { result, rerender, names } = recordings(['camera']);
    await waitFor(() => expect(result.current.ready).toBe(true));
    rerender({ tracks: ['camera', 'screen'] });
    expect(result.current.ready).toBe(true);
    await waitFor(() => expect(result.current.stale).toBe(true));
    expect(asked).toEqual(['camera', 'screen']);
    expect(result.current).toMatchObject({ ready: true, failed: null });
    expect(names()).toEqual(['camera']);
  });

  it('say when one cannot be had to begin with, and can be asked for again', async () => {
    answers = new Set(['camera']);
    const { result, names } = recordings(['camera', 'screen']);
    await waitFor(() => expect(result.current.failed).not.toBeNull());
    expect(result.current.ready).toBe(false);
    answers.add('screen');
    await result.current.failed?.refetch();
    await waitFor(() => expect(result.current.ready).toBe(true));
    expect(result.current).toMatchObject({ failed: null, stale: false });
    expect(names()).toEqual(['camera', 'screen']);
  });
});
